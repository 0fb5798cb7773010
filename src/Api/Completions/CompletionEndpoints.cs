using SaferGuard.Api.Configuration;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning;

namespace SaferGuard.Api.Completions;

internal static class CompletionEndpoints
{
    public static void AddCompletions(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(services => Guard.Load(services.GetRequiredService<ModelOptions>().Folder(builder.Environment.ContentRootPath)));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<Judge>();
        builder.Services.AddSingleton<CompletionStream>();
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
            .ProducesErrors();

        group.MapPost("/complete", CompleteAsync)
            .WithName("complete")
            .WithSummary("Judges a prompt or a conversation, then answers or refuses")
            .WithDescription(
                "With `stream`, the response is a stream of server-sent events. `assessment`, `rule_check` and `path` carry the stages of the trace as they are "
                + "decided; `explanation` carries a stage again when its sentences or evidence are written; `judgment` carries what `/v1/assess` would return; "
                + "`output` carries a piece of the answer as `{\"text\"}`; `completion` carries the whole body that is stored. `data: [DONE]` ends the stream. "
                + "An `error` event carries a problem and ends the stream instead.")
            .Accepts<CompleteRequest>("application/json")
            .Produces<CompletionBody>()
            .ProducesErrors();
    }

    private static async Task<IResult> AssessAsync(HttpContext http, Judge judge, CancellationToken cancellation)
    {
        var request = await RequestBody.ReadAsync(http, RequestReader.ReadAssess);
        var judgment = await judge.AssessAsync(request, cancellation);
        return TypedResults.Bytes(judgment.Body, JudgmentBody.ContentType);
    }

    private static async Task<IResult> CompleteAsync(HttpContext http, Judge judge, CompletionStream stream, CancellationToken cancellation)
    {
        var request = await RequestBody.ReadAsync(http, RequestReader.ReadComplete);
        if (request.Stream)
        {
            await stream.SendAsync(http, request);
            return TypedResults.Empty;
        }

        var judgment = await judge.CompleteAsync(request, null, cancellation);
        return TypedResults.Bytes(judgment.Body, JudgmentBody.ContentType);
    }

    private static RouteHandlerBuilder ProducesErrors(this RouteHandlerBuilder endpoint)
    {
        int[] statuses = [400, 413, 415, 503];
        foreach (var status in statuses) endpoint.Produces<Problem>(status, Problem.ContentType);
        return endpoint;
    }
}
