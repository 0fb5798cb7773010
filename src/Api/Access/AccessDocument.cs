using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using SaferGuard.Api.Access.Idempotency;

namespace SaferGuard.Api.Access;

/// <summary>What the OpenAPI document says of keys, scopes and repeated requests.</summary>
internal static class AccessDocument
{
    private const string Bearer = "bearer";
    private const string ApiKey = "apiKey";

    public static void DescribeAccess(this OpenApiOptions document)
    {
        document.AddDocumentTransformer((openApi, _, _) =>
        {
            openApi.Components ??= new();
            openApi.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [Bearer] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = Bearer,
                    Description = "A key of this service, or a token of an issuer that it is configured for.",
                },
                [ApiKey] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.ApiKey,
                    In = ParameterLocation.Header,
                    Name = Credential.KeyHeader,
                    Description = "A key of this service, where Authorization is taken by something else.",
                },
            };
            return Task.CompletedTask;
        });
        document.AddOperationTransformer((operation, context, _) =>
        {
            var metadata = context.Description.ActionDescriptor.EndpointMetadata;
            if (metadata.OfType<RequireScopeAttribute>().LastOrDefault() is { } required)
            {
                operation.Security = [Requirement(Bearer), Requirement(ApiKey)];

                OpenApiSecurityRequirement Requirement(string scheme) => new()
                {
                    [new OpenApiSecuritySchemeReference(scheme, context.Document)] = [ScopeNames.Of(required.Scope)],
                };
            }

            if (metadata.OfType<AcceptsIdempotencyKey>().Any()) (operation.Parameters ??= []).Add(IdempotencyParameter());
            return Task.CompletedTask;
        });
    }

    private static OpenApiParameter IdempotencyParameter() => new()
    {
        Name = IdempotencyKey.Header,
        In = ParameterLocation.Header,
        Description = "A random name of this request. Sent again with the same body it gets the same reply, with `Idempotency-Replayed: true`; "
            + "with another body 422, and while the first is in flight 409.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = IdempotencyKey.MaxLength },
        Example = "8e03978e-40d5-43e8-bc93-6894a57f9324",
    };
}
