using SaferGuard.Api.Tests;
using SaferGuard.Client.Grpc;

namespace SaferGuard.Client.Tests;

/// <summary>Over REST.</summary>
public sealed class RestClientTests(Service service) : SaferGuardClientTests(service, new SaferGuardClient(service.Client));

/// <summary>Over gRPC.</summary>
public sealed class GrpcClientTests(Service service) : SaferGuardClientTests(service, new SaferGuardGrpcClient(service.Channel));

/// <summary>A client against the real service: the same, whichever way it speaks.</summary>
public abstract class SaferGuardClientTests(Service service, ISaferGuardClient client) : IClassFixture<Service>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_judgment_arrives_whole()
    {
        var judged = await client.AssessAsync(Prompts.Harmful, Cancellation);

        var stored = (await service.GetAsync($"/v1/traces/{judged.Id}")).Json;
        Assert.Equal(Decision.Refuse, judged.Decision);
        Assert.Equal(stored.GetProperty("model").GetProperty("digest").GetString(), judged.Model.Digest);
        Assert.Equal(stored.GetProperty("policy").GetProperty("id").GetString(), judged.Policy.Id);
        Assert.Equal(stored.GetProperty("created").GetInt64(), judged.Created.ToUnixTimeSeconds());
        Assert.Equal(stored.GetProperty("scores").GetProperty("refuse").GetDouble(), judged.Scores!.Refuse);
        Assert.Equal(stored.GetProperty("usage").GetProperty("trace_tokens").GetInt32(), judged.Usage!.TraceTokens);
        Assert.Equal(stored.GetProperty("timings").GetProperty("total_ms").GetDouble(), judged.Timings!.TotalMs);
        Assert.Equal(stored.GetProperty("trace").GetProperty("rule_check").GetArrayLength(), judged.Trace!.RuleCheck.Count);
        Assert.Equal(stored.GetProperty("trace").GetProperty("path").GetProperty("strategy").GetString(), judged.Trace.Path.Strategy);
        var evidence = judged.Violations.Select(violation => violation.Evidence).First(evidence => evidence is not null)!;
        Assert.Equal(Prompts.Harmful[evidence.Start..evidence.End], evidence.Text);
    }

    [Fact]
    public async Task A_conversation_can_be_judged_briefly()
    {
        var judged = await client.AssessAsync(
            new AssessRequest
            {
                Messages = [new(Role.System, "You sell tea."), new(Role.User, "Hello"), new(Role.Assistant, "Hello!"), new(Role.User, Prompts.Harmless)],
                Trace = TraceLevel.Brief,
                OperatingPoint = OperatingPoint.Balanced,
            },
            Cancellation);

        Assert.Equal((Decision.Answer, OperatingPoint.Balanced), (judged.Decision, judged.OperatingPoint));
        Assert.Null(judged.Trace!.Assessment.Intent);
    }

    [Fact]
    public async Task A_completion_says_what_is_answered_and_why_it_ends()
    {
        var refused = await client.CompleteAsync(new CompleteRequest { Input = Prompts.Harmful, MaxTokens = 20, Temperature = 0.5, Seed = 7 }, Cancellation);
        var allowed = await client.CompleteAsync(Prompts.Harmless, Cancellation);

        Assert.Equal((FinishReason.Refused, OutputSource.Policy), (refused.FinishReason, refused.Output!.Source));
        Assert.Equal((FinishReason.NoAnswerSource, null), (allowed.FinishReason, allowed.Output));
    }

    [Fact]
    public async Task A_stream_tells_each_stage_and_ends_with_the_completion()
    {
        var updates = await client.StreamAsync(Prompts.Harmful, Cancellation).ToListAsync(Cancellation);

        var completion = Assert.IsType<CompletionUpdate.Completed>(updates[^1]).Completion;
        Assert.Equal(completion.Trace!.Assessment.Intent, updates.OfType<CompletionUpdate.Assessed>().Last().Stage.Intent);
        Assert.Equal(completion.Trace.RuleCheck, updates.OfType<CompletionUpdate.RulesChecked>().Last().Checks);
        Assert.Equal(completion.Trace.Path, updates.OfType<CompletionUpdate.PathDecided>().Last().Stage);
        Assert.Equal(completion.Output!.Text, string.Concat(updates.OfType<CompletionUpdate.Wrote>().Select(wrote => wrote.Text)));
        Assert.IsType<CompletionUpdate.Assessed>(updates[0]);
    }

    [Fact]
    public async Task A_stored_judgment_is_found_as_what_it_is()
    {
        var assessment = await client.AssessAsync(Prompts.Harmful, Cancellation);
        var completion = await client.CompleteAsync(Prompts.Harmful, Cancellation);

        Assert.Equal(assessment.Trace!.Path, (await client.FindTraceAsync(assessment.Id, Cancellation))!.Trace!.Path);
        Assert.Equal(completion.Output, Assert.IsType<Completion>(await client.FindTraceAsync(completion.Id, Cancellation)).Output);
        Assert.Null(await client.FindTraceAsync("none/../of them", Cancellation));
    }

    [Fact]
    public async Task Stored_judgments_are_listed_page_by_page_newest_first()
    {
        var ids = new List<string>();
        for (var i = 0; i < 60; i++) ids.Add((await client.AssessAsync(new AssessRequest { Input = Prompts.Harmful, Trace = TraceLevel.Brief }, Cancellation)).Id);
        var harmless = await client.AssessAsync(Prompts.Harmless, Cancellation);

        var refused = await client.ListTracesAsync(Decision.Refuse, Cancellation).ToListAsync(Cancellation);
        var newest = await client.ListTracesAsync(cancellationToken: Cancellation).FirstAsync(Cancellation);

        Assert.Equal(ids.AsEnumerable().Reverse(), refused.Select(judged => judged.Id).Where(ids.Contains));
        Assert.All(refused, judged => Assert.Equal(Decision.Refuse, judged.Decision));
        Assert.Equal(harmless.Id, newest.Id);
    }

    [Fact]
    public async Task An_answer_is_judged_in_the_place_of_what_it_answers()
    {
        var harmful = await client.AssessAsync(new AssessRequest { Input = Prompts.Harmless, Response = $"{Prompts.Harmful}!" }, Cancellation);
        var harmless = await client.AssessAsync(new AssessRequest { Input = Prompts.Harmless, Response = "Black tea goes well with rain." }, Cancellation);

        Assert.Equal((Decision.Refuse, Decision.Answer), (harmful.Decision, harmless.Decision));
    }

    [Fact]
    public async Task A_policy_that_is_not_there_is_named()
    {
        var fault = await Assert.ThrowsAsync<SaferGuardRequestException>(
            () => client.AssessAsync(new AssessRequest { Input = "Hello", Policy = "nobody's" }, Cancellation));

        Assert.Equal("policy", Assert.Single(fault.Problem!.Errors).Field);
    }

    [Fact]
    public async Task A_wrong_request_is_explained_field_by_field()
    {
        var fault = await Assert.ThrowsAsync<SaferGuardRequestException>(
            () => client.CompleteAsync(new CompleteRequest { Input = " ", MaxTokens = 0 }, Cancellation));

        Assert.Equal("urn:saferguard:problem:invalid-request", fault.Problem!.Type);
        Assert.Equal(["input", "max_tokens"], fault.Problem.Errors.Select(error => error.Field).Order());
        Assert.Contains("input must not be empty.", fault.Message);
        Assert.Equal(32, fault.TraceId!.Length);
        await Assert.ThrowsAsync<SaferGuardRequestException>(async () => await client.StreamAsync(" ", Cancellation).ToListAsync(Cancellation));
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_not_kept_waiting()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.AssessAsync(Prompts.Harmless, source.Token));

        using var later = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in client.StreamAsync(Prompts.Harmful, later.Token)) await later.CancelAsync();
        });
    }

    [Fact]
    public async Task Many_callers_share_one_client()
    {
        var judged = await Task.WhenAll(Enumerable.Range(0, 32).Select(i => client.AssessAsync(i % 2 == 0 ? Prompts.Harmful : Prompts.Harmless, Cancellation)));

        Assert.All(judged.Index(), item => Assert.Equal(item.Index % 2 == 0 ? Decision.Refuse : Decision.Answer, item.Item.Decision));
    }
}
