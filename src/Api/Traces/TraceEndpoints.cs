using System.ComponentModel;
using Microsoft.EntityFrameworkCore;
using Microsoft.OpenApi;
using SaferGuard.Api.Access;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Traces;

internal static class TraceEndpoints
{
    public static void AddTraces(this WebApplicationBuilder builder)
    {
        builder.Services.AddPooledDbContextFactory<TraceStore>((services, store) =>
            store.UseSqlite(services.GetRequiredService<StoreOptions>().ConnectionString(builder.Environment.ContentRootPath)));
        builder.Services.AddSingleton<JudgmentLog>();
    }

    public static void MapTraces(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/traces/{id}", FindAsync)
            .WithTags("Traces")
            .WithName("getTrace")
            .WithSummary("Returns a stored judgment")
            .WithDescription("The body is, byte for byte, the one that was returned when the judgment was made: an assessment or a completion. Only its tenant finds it.")
            .RequireScope(Scope.TracesRead)
            .Produces<CompletionBody>()
            .Produces<Problem>(StatusCodes.Status404NotFound, Problem.ContentType)
            .AddOpenApiOperationTransformer((operation, context, _) =>
            {
                operation.Responses!["200"].Content![JudgmentBody.ContentType].Schema = new OpenApiSchema
                {
                    AnyOf = [new OpenApiSchemaReference(nameof(JudgmentBody), context.Document), new OpenApiSchemaReference(nameof(CompletionBody), context.Document)],
                };
                return Task.CompletedTask;
            });

    private static async Task<IResult> FindAsync(
        [Description("The `id` of a judgment.")] string id, HttpContext http, TraceStore store, CancellationToken cancellation)
    {
        var tenant = http.Caller().Tenant;
        return await store.Judgments.AsNoTracking().SingleOrDefaultAsync(judgment => judgment.Id == id && judgment.Tenant == tenant, cancellation) is { } judgment
            ? TypedResults.Bytes(judgment.Body, JudgmentBody.ContentType)
            : throw new ProblemException(Errors.TraceNotFound, "No judgment with this id is stored.", new FieldError("id", "is not the id of a stored judgment"));
    }
}
