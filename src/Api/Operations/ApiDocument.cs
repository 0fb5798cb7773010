using Microsoft.OpenApi;
using SaferGuard.Api.Access;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;

namespace SaferGuard.Api.Operations;

/// <summary>The OpenAPI document at <c>/openapi/v1.json</c>: what the types and routes say, and what they cannot say.</summary>
internal static class ApiDocument
{
    public static void AddApiDocument(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json => ApiJson.Configured(json.SerializerOptions).TypeInfoResolverChain.Insert(0, ApiJson.Default));
        services.AddOpenApi("v1", document =>
        {
            document.AddDocumentTransformer((openApi, _, _) =>
            {
                openApi.Info.Title = "SaferGuard";
                openApi.Info.Version = typeof(ApiDocument).Assembly.GetName().Version!.ToString(3);
                openApi.Info.Description =
                    "Judges prompts for large language models before they are answered. Every error is problem details (RFC 9457) that name the field.";
                return Task.CompletedTask;
            });
            document.DescribeAccess();
            document.AddSchemaTransformer((schema, context, _) =>
            {
                var type = context.JsonTypeInfo.Type;
                if ((Nullable.GetUnderlyingType(type) ?? type).IsEnum)
                {
                    // One schema serves fields that may be null and fields that may not: null is no value of the enumeration.
                    schema.Type = JsonSchemaType.String;
                    schema.Enum = [.. schema.Enum!.Where(value => value is not null && !value.IsJsonNullSentinel())];
                }

                if (type.IsAssignableTo(typeof(AssessRequest))) Restrict(schema, context.ApplicationServices.GetRequiredService<LimitOptions>());
                if (type == typeof(Message)) schema.AdditionalPropertiesAllowed = false;
                return Task.CompletedTask;
            });
        });
    }

    /// <summary>Says what <see cref="RequestReader"/> demands.</summary>
    private static void Restrict(OpenApiSchema schema, LimitOptions limits)
    {
        schema.AdditionalPropertiesAllowed = false;
        schema.OneOf = [Requires("input"), Requires("messages")];

        var input = Property("input")!;
        input.Type = JsonSchemaType.String;
        input.MinLength = 1;

        var messages = Property("messages")!;
        messages.Type = JsonSchemaType.Array;
        messages.MinItems = 1;
        messages.MaxItems = limits.MaxTurns;

        // The answer to a request that is yet to be answered is nobody's to give.
        if (Property("stream") is not null) schema.Properties!.Remove("response");
        else Property("response")!.MinLength = 1;

        if (Property("max_tokens") is { } maxTokens) maxTokens.Maximum = $"{limits.MaxAnswerTokens}";

        OpenApiSchema? Property(string name) => schema.Properties!.TryGetValue(name, out var property) ? property as OpenApiSchema : null;
        OpenApiSchema Requires(string name) => new() { Required = new HashSet<string> { name } };
    }
}
