using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Idempotency;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Api.Completions;

internal static class CompletionEndpoints
{
    public static void AddCompletions(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(services => Guard.Load(
            services.GetRequiredService<ModelOptions>().Folder(builder.Environment.ContentRootPath),
            services.GetRequiredService<EngineOptions>(),
            services.GetRequiredService<ILogger<Guard>>(),
            services.GetRequiredService<IMeterFactory>()));
        builder.Services.AddSingleton<Recorder>();
        builder.Services.AddSingleton<Judge>();
        builder.Services.AddSingleton<EventStream>();
    }

    public static void MapCompletions(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1").WithTags("Completions");

        group.MapPost("/assess", AssessAsync)
            .WithName("assess")
            .WithSummary("Judges a prompt or a conversation")
            .WithDescription("A refusal is a result, not an error: the status is 200 whatever the decision is.")
            .Accepts<AssessRequest>("application/json")
            .Produces<JudgmentBody>()
            .ProducesErrors(400, 413, 415, 503, 504)
            .RequireScope(Scope.Assess)
            .AcceptsIdempotencyKey()
            .WithRequestExamples(RequestExamples.Assess);

        group.MapPost("/complete", CompleteAsync)
            .WithName("complete")
            .WithSummary("Judges a prompt or a conversation, then answers or refuses")
            .WithDescription(
                "With `stream`, the response is a stream of server-sent events. `assessment`, `rule_check` and `path` carry the stages of the trace as they are "
                + "decided; `explanation` carries one of them again, as `{\"path\": {…}}`, when its sentence or evidence has been written;"
                + "`output` carries a piece of the answer, which has been judged, as `{\"text\"}`; `degraded` says what the guard could not do; `completion` carries the whole body that is stored. `data: [DONE]` ends the stream. "
                + "An `error` event carries a problem and ends the stream instead.")
            .Accepts<CompleteRequest>("application/json")
            .Produces<CompletionBody>()
            .ProducesErrors(400, 413, 415, 502, 503, 504)
            .RequireScope(Scope.Complete)
            .AcceptsIdempotencyKey()
            .WithRequestExamples(RequestExamples.Complete)
            .AddOpenApiOperationTransformer((operation, _, _) =>
            {
                operation.Responses!["200"].Content!["text/event-stream"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
                return Task.CompletedTask;
            });
    }

    private static async Task<IResult> AssessAsync(HttpContext http, Judge judge, CancellationToken cancellation)
    {
        var request = await RequestBody.ReadAsync(http, RequestReader.ReadAssess);
        var judgment = await judge.AssessAsync(request, http.Caller(), cancellation);
        return TypedResults.Bytes(judgment.Body, JudgmentBody.ContentType);
    }

    private static async Task<IResult> CompleteAsync(HttpContext http, Judge judge, EventStream stream, CancellationToken cancellation)
    {
        var request = await RequestBody.ReadAsync(http, RequestReader.ReadComplete);
        if (request.Stream)
        {
            var steps = judge.CompleteInStepsAsync(request, http.Caller(), cancellation);
            await stream.SendAsync(http, steps.Select(CompletionEvents.Of), CompletionEvents.Failed);
            return TypedResults.Empty;
        }

        var judgment = await judge.CompleteAsync(request, http.Caller(), null, cancellation);
        return TypedResults.Bytes(judgment.Body, JudgmentBody.ContentType);
    }

    private static RouteHandlerBuilder WithRequestExamples(this RouteHandlerBuilder endpoint, IReadOnlyDictionary<string, string> examples) =>
        endpoint.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.RequestBody!.Content!["application/json"].Examples = examples.ToDictionary(
                example => example.Key, IOpenApiExample (example) => new OpenApiExample { Value = JsonNode.Parse(example.Value) });
            return Task.CompletedTask;
        });

    private static RouteHandlerBuilder ProducesErrors(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses) endpoint.Produces<Problem>(status, Problem.ContentType);
        return endpoint;
    }
}
