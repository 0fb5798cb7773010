namespace SaferGuard.Api.Operations;

/// <summary>The OpenAPI document at <c>/openapi/v1.json</c>: what the types and routes say, and what they cannot say.</summary>
internal static class ApiDocument
{
    public static void AddApiDocument(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json =>
        {
            ApiJson.Configured(json.SerializerOptions);
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default);
        });
        services.AddOpenApi("v1", document =>
        {
            document.AddDocumentTransformer((openApi, _, _) =>
            {
                openApi.Info.Title = "SaferGuard";
                openApi.Info.Description = "Judges prompts for large language models before they are answered.";
                return Task.CompletedTask;
            });
        });
    }
}
