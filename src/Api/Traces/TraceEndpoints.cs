using System.ComponentModel;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.OpenApi;
using SaferGuard.Api.Access;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Traces;

internal static class TraceEndpoints
{
    public static void AddTraces(this WebApplicationBuilder builder)
    {
        builder.Services.AddPooledDbContextFactory<TraceStore>((services, store) =>
            store.UseSqlite(services.GetRequiredService<StoreOptions>().ConnectionString(builder.Environment.ContentRootPath)));
        builder.Services.AddSingleton<JudgmentLog>();
        builder.Services.AddSingleton<TraceReader>();
    }

    public static void MapTraces(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/traces").WithTags("Traces");

        group.MapGet("", ListAsync)
            .WithName("listTraces")
            .WithSummary("Lists stored judgments, newest first")
            .WithDescription("The judgments of the caller's tenant that all given filters let through. Ask for the next page with its `page_token`.")
            .RequireScope(Scope.TracesRead)
            .Produces<TraceListBody>()
            .Produces<Problem>(StatusCodes.Status400BadRequest, Problem.ContentType)
            .AddOpenApiOperationTransformer((operation, _, _) =>
            {
                operation.Parameters =
                [
                    Parameter("page_size", "The most judgments of the page.", new()
                    {
                        Type = JsonSchemaType.Integer, Minimum = "1", Maximum = $"{TraceQuery.MaxPageSize}", Default = TraceQuery.DefaultPageSize,
                    }),
                    Parameter("page_token", "The `next_page_token` of the page before.", new() { Type = JsonSchemaType.String }),
                    Parameter("decision", "Only judgments that decided so.", Choice<Decision>()),
                    Parameter("kind", "Only judgments that this call made.", Choice<JudgmentKind>()),
                ];
                return Task.CompletedTask;
            });

        group.MapGet("/{id}", FindAsync)
            .WithName("getTrace")
            .WithSummary("Returns a stored judgment")
            .WithDescription("The body is, byte for byte, the one that was returned when the judgment was made: an assessment or a completion. Only its tenant finds it.")
            .RequireScope(Scope.TracesRead)
            .Produces<CompletionBody>()
            .Produces<Problem>(StatusCodes.Status404NotFound, Problem.ContentType)
            .AddOpenApiOperationTransformer((operation, context, _) =>
            {
                operation.Responses!["200"].Content![JudgmentBody.ContentType].Schema = AnyJudgment(context.Document);
                return Task.CompletedTask;
            });
    }

    private static async Task<IResult> ListAsync(HttpContext http, TraceReader traces, CancellationToken cancellation)
    {
        var query = TraceQuery.Read(http.Request.Query.SelectMany(parameter => parameter.Value, (parameter, value) => KeyValuePair.Create(parameter.Key, value ?? "")));
        var page = await traces.ListAsync(query, http.Caller(), cancellation);
        return TypedResults.Bytes(TraceListBody.Write(page), JudgmentBody.ContentType);
    }

    private static async Task<IResult> FindAsync(
        [Description("The `id` of a judgment.")] string id, HttpContext http, TraceReader traces, CancellationToken cancellation) =>
        TypedResults.Bytes((await traces.FindAsync(id, http.Caller(), cancellation)).Body, JudgmentBody.ContentType);

    private static OpenApiParameter Parameter(string name, string description, OpenApiSchema schema) =>
        new() { Name = name, In = ParameterLocation.Query, Description = description, Schema = schema };

    private static OpenApiSchema Choice<T>()
        where T : struct, Enum => new() { Type = JsonSchemaType.String, Enum = [.. Enum.GetValues<T>().Select(value => (JsonNode)WireName.Of(value))] };

    private static OpenApiSchema AnyJudgment(OpenApiDocument? document) => new()
    {
        AnyOf = [new OpenApiSchemaReference(nameof(JudgmentBody), document), new OpenApiSchemaReference(nameof(CompletionBody), document)],
    };
}
