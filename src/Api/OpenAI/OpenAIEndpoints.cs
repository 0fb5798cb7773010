using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.OpenApi;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Idempotency;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Upstream;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.OpenAI;

/// <summary>The part of OpenAI's API that a guard can stand for, so that a client only has to change its base address.</summary>
internal static class OpenAIEndpoints
{
    public static void AddOpenAI(this WebApplicationBuilder builder) =>
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Add(OpenAIJson.Default));

    public static void MapOpenAI(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1").WithTags("OpenAI").WithMetadata(new ProblemShape(OpenAIErrors.WriteAsync));
        group.AddEndpointFilter((context, next) =>
        {
            RequestId.Set(context.HttpContext);
            return next(context);
        });

        group.MapPost("/chat/completions", ChatAsync)
            .WithName("createChatCompletion")
            .WithSummary("Judges a conversation, then answers or refuses, as OpenAI's clients expect it")
            .WithDescription(
                "A refusal is an answer with `finish_reason: \"content_filter\"`, and so is an answer that was judged and withheld. `saferguard` has the verdict; in a stream it comes with the finish reason. "
                + "The trace counts as reasoning tokens. When no model can answer a prompt that the guard allows, the status is 501.")
            .Produces<ChatCompletion>()
            .WithMetadata(new RequireScopeAttribute(Scope.Complete), new AcceptsIdempotencyKey())
            .ProducesOpenAIErrors(400, 401, 403, 409, 413, 415, 422, 429, 501, 502, 503, 504)
            .AddOpenApiOperationTransformer((operation, _, _) =>
            {
                operation.RequestBody = Json(ChatParameters.Schema());
                operation.Responses!["200"].Content!["text/event-stream"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
                return Task.CompletedTask;
            });

        group.MapPost("/moderations", ModerateAsync)
            .WithName("createModeration")
            .WithSummary("Judges texts, as OpenAI's clients expect it")
            .WithDescription("`flagged` means that the decision is to refuse. `saferguard` has the policy's own categories and rules.")
            .Produces<Moderations>()
            .WithMetadata(new RequireScopeAttribute(Scope.Assess), new AcceptsIdempotencyKey())
            .ProducesOpenAIErrors(400, 401, 403, 409, 413, 415, 422, 429, 503, 504)
            .AddOpenApiOperationTransformer((operation, _, _) =>
            {
                operation.RequestBody = Json(ModerationSchema());
                return Task.CompletedTask;
            });

        group.MapGet("/models", (Guard guard, UpstreamOptions upstream) => Respond(new("list", ListedModel.All(guard.Model, upstream)), OpenAIJson.Body.ModelList))
            .WithName("listModels")
            .WithSummary("Lists the models")
            .WithMetadata(new RequireScopeAttribute(Scope.None))
            .Produces<ModelList>()
            .ProducesOpenAIErrors(401, 429);

        group.MapGet("/models/{**id}", FindModel)
            .WithName("getModel")
            .WithSummary("Returns a model")
            .WithMetadata(new RequireScopeAttribute(Scope.None))
            .Produces<ListedModel>()
            .ProducesOpenAIErrors(401, 404, 429);
    }

    private static async Task<IResult> ChatAsync(HttpContext http, Judge judge, EventStream stream, TimeProvider clock, CancellationToken cancellation)
    {
        var request = await RequestBody.ReadAsync(http, ChatRequestReader.Read);
        if (request.Completion.Stream)
        {
            var steps = judge.CompleteInStepsAsync(request.Completion, http.Caller(), cancellation);
            await stream.SendAsync(http, new ChatChunks(request, clock).OfAsync(steps), OpenAIErrors.Failed);
            return TypedResults.Empty;
        }

        var stored = await judge.CompleteAsync(request.Completion, http.Caller(), null, cancellation);
        return Respond(ChatCompletion.Of(request, (CompletionBody)JudgmentBody.Of(stored)), OpenAIJson.Body.ChatCompletion);
    }

    private static async Task<IResult> ModerateAsync(HttpContext http, Judge judge, Guard guard, CancellationToken cancellation)
    {
        var texts = await RequestBody.ReadAsync(http, ModerationReader.Read);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var judging = texts.Select((text, i) => JudgeAsync(judge, text, ModerationReader.FieldOf(i, texts.Count), http.Caller(), leaving)).ToList();
        var results = await Task.WhenAll(judging);
        return Respond(new($"modr-{Guid.CreateVersion7():N}", guard.Model.Id, results), OpenAIJson.Body.Moderations);
    }

    /// <summary>Judges one of the texts. If that fails the others are given up, since no response will need them.</summary>
    private static async Task<Moderation> JudgeAsync(Judge judge, string text, string field, Caller caller, CancellationTokenSource leaving)
    {
        try
        {
            var stored = await judge.AssessAsync(new() { Input = text, Trace = TraceLevel.Brief }, caller, leaving.Token);
            return ModerationCategories.Of(JudgmentBody.Of(stored));
        }
        catch (ProblemException problem)
        {
            await leaving.CancelAsync();
            throw new ProblemException(problem.Kind, problem.Message, [.. problem.Errors.Select(error => error.Field == "input" ? error with { Field = field } : error)]);
        }
        catch
        {
            await leaving.CancelAsync();
            throw;
        }
    }

    private static FileContentHttpResult FindModel(string id, Guard guard, UpstreamOptions upstream) =>
        ListedModel.All(guard.Model, upstream).FirstOrDefault(model => model.Id == Uri.UnescapeDataString(id)) is { } model
        ? Respond(model, OpenAIJson.Body.ListedModel)
        : throw new ProblemException(Errors.ModelNotFound, "See GET /v1/models.", new FieldError("model", "is not the id of a model that is listed"));

    private static FileContentHttpResult Respond<T>(T body, JsonTypeInfo<T> shape) =>
        TypedResults.Bytes(JsonSerializer.SerializeToUtf8Bytes(body, shape), JudgmentBody.ContentType);

    private static RouteHandlerBuilder ProducesOpenAIErrors(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses) endpoint.Produces<OpenAIError>(status);
        return endpoint;
    }

    private static OpenApiRequestBody Json(OpenApiSchema schema) =>
        new() { Required = true, Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = schema } } };

    private static OpenApiSchema ModerationSchema() => new()
    {
        Type = JsonSchemaType.Object,
        AdditionalPropertiesAllowed = false,
        Required = new HashSet<string> { "input" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["input"] = new OpenApiSchema { Description = $"A text, an array of at most {ModerationReader.MaxInputs} texts, or an array of parts of type `text`." },
            ["model"] = new OpenApiSchema { Description = "Ignored: there is one.", Type = JsonSchemaType.String },
        },
    };
}
