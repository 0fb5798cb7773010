using Google.Rpc;
using Grpc.Core;
using SaferGuard.Protocol.V1;
using Status = Google.Rpc.Status;

namespace SaferGuard.Api.Tests.Grpc;

public sealed class GuardRpcTests(Service service) : IClassFixture<Service>
{
    private readonly GuardService.GuardServiceClient _guard = new(service.Channel);

    /// <summary>What is wrong, the request, and the fields that the status must name: those that REST names.</summary>
    public static TheoryData<string, string[]> Bad { get; } = new()
    {
        { """{}""", ["input"] },
        { """{"input": ""}""", ["input"] },
        { """{"input": "\u0000"}""", ["input"] },
        { """{"input": "a", "messages": [{"role": "ROLE_USER", "content": "a"}]}""", ["messages"] },
        { """{"messages": [{"content": "a"}]}""", ["messages[0].role"] },
        { """{"messages": [{"role": 99, "content": "a"}, {"role": "ROLE_TOOL", "content": "\u0000"}]}""", ["messages[0].role", "messages[1].content"] },
        { """{"messages": [{"role": "ROLE_USER", "content": " "}]}""", ["messages"] },
        { """{"input": "a", "trace": 7, "operating_point": -1}""", ["trace", "operating_point"] },
        { """{"input": "a", "operating_point": 7, "max_tokens": 0, "temperature": "NaN", "seed": -1}""", ["operating_point", "max_tokens", "temperature", "seed"] },
        { """{"input": "a", "temperature": "Infinity", "max_tokens": 5000}""", ["max_tokens", "temperature"] },
    };

    [Fact]
    public async Task A_judgment_says_what_REST_says_of_it()
    {
        var judgment = await _guard.AssessAsync(new() { Input = Prompts.Harmful }, cancellationToken: TestContext.Current.CancellationToken);

        var rest = (await service.GetAsync($"/v1/traces/{judgment.Id}")).Json;
        Assert.Equal((JudgmentKind.Assessment, Decision.Refuse, Decision.Refuse), (judgment.Kind, judgment.Decision, judgment.Trace.Path.Decision));
        Assert.Equal(rest.GetProperty("scores").GetProperty("refuse").GetDouble(), judgment.Scores.Refuse);
        Assert.Equal(rest.GetProperty("created").GetInt64(), judgment.Created);
        Assert.Equal(rest.GetProperty("policy").GetProperty("digest").GetString(), judgment.Policy.Digest);
        Assert.Equal(rest.GetProperty("usage").GetProperty("input_tokens").GetInt32(), judgment.Usage.InputTokens);
        Assert.Equal(rest.GetProperty("timings").GetProperty("total_ms").GetDouble(), judgment.Timings.TotalMs);
        var trace = rest.GetProperty("trace");
        Assert.Equal(trace.GetProperty("assessment").GetProperty("intent").GetString(), judgment.Trace.Assessment.Intent);
        Assert.Equal(trace.GetProperty("path").GetProperty("strategy").GetString(), judgment.Trace.Path.Strategy);
        Assert.Equal(
            trace.GetProperty("rule_check").EnumerateArray().Select(check => (check.GetProperty("rule").GetString(), check.GetProperty("score").GetDouble())),
            judgment.Trace.RuleCheck.Select(check => ((string?)check.Rule, check.Score)));
        var quote = judgment.Trace.RuleCheck.First(check => check.Verdict == Verdict.Violated).Evidence;
        Assert.Equal(Prompts.Harmful[quote.Start..quote.End], quote.Text);
        Assert.Equal((FinishReason.Unspecified, null), (judgment.FinishReason, judgment.Output));
    }

    [Fact]
    public async Task A_brief_judgment_has_neither_sentences_nor_evidence()
    {
        var judgment = await _guard.AssessAsync(
            new() { Messages = { new Message { Role = Role.User, Content = Prompts.Harmful } }, Trace = TraceLevel.Brief },
            cancellationToken: TestContext.Current.CancellationToken);

        Assert.False(judgment.Trace.Assessment.HasIntent);
        Assert.False(judgment.Trace.Path.HasStrategy);
        Assert.All(judgment.Trace.RuleCheck, check => Assert.Null(check.Evidence));
    }

    [Fact]
    public async Task A_refusal_is_a_result()
    {
        var judgment = await _guard.CompleteAsync(new() { Input = Prompts.Harmful }, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal((JudgmentKind.Completion, FinishReason.Refused, OutputSource.Policy), (judgment.Kind, judgment.FinishReason, judgment.Output.Source));
        Assert.StartsWith("I can't help with this.", judgment.Output.Text);
    }

    [Fact]
    public async Task A_stream_tells_the_stages_then_the_output_then_the_completion()
    {
        using var call = _guard.CompleteStream(new() { Input = Prompts.Harmful }, cancellationToken: TestContext.Current.CancellationToken);
        var events = await call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

        CompletionEvent.EventOneofCase[] told = [.. events.Select(item => item.EventCase).Where(kind => kind != CompletionEvent.EventOneofCase.Explanation)];
        Assert.Equal(
            [
                CompletionEvent.EventOneofCase.Assessment, CompletionEvent.EventOneofCase.RuleCheck, CompletionEvent.EventOneofCase.Path,
                CompletionEvent.EventOneofCase.Output, CompletionEvent.EventOneofCase.Completion,
            ],
            told);
        var completion = events[^1].Completion;
        Assert.Equal(completion.Output.Text, events[^2].Output.Text);
        Assert.Equal(completion, await _guard.GetTraceAsync(new() { Id = completion.Id }, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(completion.Trace, AddedUp(events));
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_request_is_told_as_over_REST_and_stores_nothing(string json, string[] fields)
    {
        var stored = await service.CountStoredAsync();
        var request = CompleteRequest.Parser.ParseJson(json);

        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await _guard.CompleteAsync(request, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
        var status = fault.GetRpcStatus()!;
        Assert.Equal(fields, status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
        var reason = status.GetDetail<ErrorInfo>()!;
        Assert.Equal(("INVALID_REQUEST", "saferguard", "urn:saferguard:problem:invalid-request"), (reason.Reason, reason.Domain, reason.Metadata["type"]));
        Assert.Matches("^[0-9a-f]{32}$", status.GetDetail<RequestInfo>()!.RequestId);
        Assert.Equal(stored, await service.CountStoredAsync());
    }

    [Fact]
    public async Task The_words_of_an_error_are_those_of_REST()
    {
        var rest = (await service.AssessAsync("""{"messages": [{"role": "x", "content": "a\u0000"}], "trace": "y"}""")).Json.GetProperty("errors").EnumerateArray()
            .Select(error => $"{error.GetProperty("field")} {error.GetProperty("message")}");

        var status = await FailAsync(async () => await _guard.AssessAsync(new() { Messages = { new Message { Role = (Role)7, Content = "a\0" } }, Trace = (TraceLevel)9 }));

        Assert.Equal(rest, status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => $"{violation.Field} {violation.Description}"));
    }

    [Fact]
    public async Task A_hundred_errors_fit_into_the_trailers_of_any_client()
    {
        var request = new AssessRequest();
        for (var i = 0; i < 250; i++) request.Messages.Add(new Message { Content = "\0" });

        var fault = await Assert.ThrowsAsync<RpcException>(async () => await _guard.AssessAsync(request, cancellationToken: TestContext.Current.CancellationToken));

        Assert.InRange(fault.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Count, 10, 100);
        Assert.InRange(fault.Trailers.Sum(trailer => trailer.Key.Length + (trailer.IsBinary ? trailer.ValueBytes.Length * 4 / 3 : trailer.Value.Length)), 1, 8000);
    }

    [Fact]
    public async Task What_the_model_cannot_read_is_too_long()
    {
        var status = await FailAsync(async () => await _guard.AssessAsync(new() { Input = string.Join(' ', Enumerable.Repeat("word", 100_000)) }));

        Assert.Equal(((int)Code.InvalidArgument, "PROMPT_TOO_LONG"), (status.Code, status.GetDetail<ErrorInfo>()!.Reason));
    }

    [Theory]
    [InlineData("asm_00000000000000000000000000000000")]
    [InlineData("")]
    [InlineData("' OR 1=1")]
    public async Task An_unknown_trace_is_not_found(string id)
    {
        var status = await FailAsync(async () => await _guard.GetTraceAsync(new() { Id = id }));

        Assert.Equal(((int)Code.NotFound, "TRACE_NOT_FOUND"), (status.Code, status.GetDetail<ErrorInfo>()!.Reason));
    }

    private static async Task<Status> FailAsync(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call)).GetRpcStatus()!;

    /// <summary>The trace that the stages and explanations of a stream make.</summary>
    private static Trace AddedUp(IEnumerable<CompletionEvent> events)
    {
        var trace = new Trace();
        foreach (var item in events)
        {
            if ((item.Assessment ?? item.Explanation?.Assessment) is { } assessment) trace.Assessment = assessment;
            if ((item.Path ?? item.Explanation?.Path) is { } path) trace.Path = path;
            if ((item.RuleCheck ?? item.Explanation?.RuleCheck) is not { } rules) continue;
            trace.RuleCheck.Clear();
            trace.RuleCheck.AddRange(rules.Checks);
        }

        return trace;
    }
}
