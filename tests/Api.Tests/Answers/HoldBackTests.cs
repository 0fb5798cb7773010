using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Answers;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Tests.Conversations;
using SaferGuard.Api.Tests.Upstream;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Tests.Answers;

public sealed class HoldBackTests : IAsyncLifetime
{
    /// <summary>Ends where a window releases its text, so that the next window is harmful from its beginning to its end: less the bundled model overlooks.</summary>
    private static readonly string s_long = string.Join(' ', Enumerable.Repeat(ScriptedUpstream.Harmless, 20))[..(10 * 120)];
    private static readonly string s_turning = $"{s_long}{Prompts.HarmfulAnswer} {Prompts.HarmfulAnswer}";

    private ScriptedUpstream _upstream = null!;
    private Service _service = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream = await ScriptedUpstream.StartAsync();
        _service = await _upstream.GuardAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task An_answer_that_turns_harmful_is_cut_before_it_does_and_the_stream_ends_with_an_error()
    {
        _upstream.Answer = call => call.AnswerAsync(s_turning);

        var events = await _service.StreamAsync(Prompts.Complete(Prompts.Harmless, stream: true));

        var left = string.Concat(events.Where(item => item.EventType == "output").Select(Text));
        Assert.NotEmpty(left);
        Assert.StartsWith(left, s_long);
        Assert.DoesNotContain("ransomware", string.Concat(events.Select(item => item.Data)));
        Assert.Equal("error", events[^1].EventType);
        var problem = JsonSerializer.Deserialize<JsonElement>(events[^1].Data);
        Assert.Equal("urn:saferguard:problem:output-withheld", problem.GetProperty("type").GetString());
        var stored = Assert.Single(await _service.StoredAsync());
        Assert.Contains(stored.GetProperty("id").GetString()!, problem.GetProperty("detail").GetString());
        Assert.Equal(left, stored.GetProperty("output").GetProperty("text").GetString());
        AssertIsWithheld(stored, left.Length);
    }

    [Fact]
    public async Task What_is_withheld_is_on_record_by_its_place_length_and_digest_and_not_by_its_words()
    {
        _upstream.Answer = call => call.AnswerAsync(Prompts.HarmfulAnswer);

        var reply = await _service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        AssertIsWithheld(reply.Json, 0);
        var withheld = reply.Json.GetProperty("withheld");
        Assert.Equal(Prompts.HarmfulAnswer.Length, withheld.GetProperty("characters").GetInt32());
        Assert.Equal(
            "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(Prompts.HarmfulAnswer))),
            withheld.GetProperty("digest").GetString());
        Assert.Equal(reply.Body, (await _service.GetAsync($"/v1/traces/{reply.Id}")).Body);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_harmful_answer_of_which_nothing_has_left_becomes_a_refusal(bool stream)
    {
        _upstream.Answer = call => call.AnswerAsync(Prompts.HarmfulAnswer);

        var text = stream
            ? string.Join('\n', (await _service.StreamAsync(Prompts.Complete(Prompts.Harmless, stream: true))).Select(item => item.Data))
            : (await _service.CompleteAsync(Prompts.Complete(Prompts.Harmless))).Text;

        Assert.DoesNotContain("Sure!", text);
        Assert.Contains("I can't help with this.", text);
        Assert.Contains("\"finish_reason\":\"withheld\"", text);
    }

    [Fact]
    public async Task Of_an_answer_that_is_not_streamed_all_or_nothing_leaves()
    {
        _upstream.Answer = call => call.AnswerAsync(s_turning);

        var reply = await _service.CompleteAsync(Prompts.Complete(Prompts.Harmless));

        AssertIsWithheld(reply.Json, 0);
        Assert.Equal("policy", reply.Json.GetProperty("output").GetProperty("source").GetString());
        Assert.Equal(s_turning.Length, reply.Json.GetProperty("withheld").GetProperty("characters").GetInt32());
        Assert.DoesNotContain("tea", reply.Json.GetProperty("output").GetProperty("text").GetString());
    }

    [Fact]
    public async Task Nothing_leaves_before_its_window_has_come()
    {
        var goOn = new TaskCompletionSource();
        _upstream.Answer = async call =>
        {
            await call.PieceAsync(s_long[..190]);
            await goOn.Task;
            await call.AnswerAsync(s_long[190..]);
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/complete") { Content = new StringContent(Prompts.Complete(Prompts.Harmless, stream: true), Encoding.UTF8, "application/json") };
        using var response = await _service.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var text = new StringBuilder();
        var read = Task.Run(async () =>
        {
            await foreach (var item in SseParser.Create(body).EnumerateAsync(TestContext.Current.CancellationToken))
            {
                lock (text) text.Append(item.EventType == "output" ? Text(item) : "");
            }
        }, TestContext.Current.CancellationToken);

        await Task.Delay(500, TestContext.Current.CancellationToken);
        lock (text) Assert.Equal(0, text.Length);
        goOn.SetResult();
        await read;

        Assert.Equal(s_long, text.ToString());
    }

    [Fact]
    public async Task While_the_reader_is_slow_nothing_more_is_read_from_the_source()
    {
        var source = new Endless();
        var taken = new SemaphoreSlim(0);
        var observer = new CompletionObserver(_ => { }, _ => { }) { Drained = taken.WaitAsync };
        using var leaving = new CancellationTokenSource();

        var passing = PassAsync(source, observer, leaving.Token);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        var before = source.Given;
        await Task.Delay(300, TestContext.Current.CancellationToken);

        Assert.Equal(before, source.Given);
        Assert.InRange(before, 200, 240); // one window and the piece that filled it
        taken.Release(3);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.InRange(source.Given, before + 1, before + 3 * 240);
        await leaving.CancelAsync();
        Assert.IsAssignableFrom<OperationCanceledException>((await passing).Fault);
    }

    [Fact]
    public async Task An_answer_that_is_broken_off_by_its_reader_is_reported_as_far_as_it_got()
    {
        using var leaving = new CancellationTokenSource();
        var left = new StringBuilder();
        var observer = new CompletionObserver(_ => { }, text =>
        {
            left.Append(text);
            if (left.Length > 1000) leaving.Cancel();
        });

        var held = await PassAsync(new Endless(), observer, leaving.Token);

        Assert.Equal(left.ToString(), held.Text);
        Assert.IsAssignableFrom<OperationCanceledException>(held.Fault);
    }

    private async Task<HeldAnswer> PassAsync(IAnswer answer, CompletionObserver observer, CancellationToken cancellation)
    {
        var policy = _service.Services.GetRequiredService<Guard>().Compiled;
        var request = new AnswerRequest(new(), "big-model", Conversation.OfPrompt(Prompts.Harmless), [0, 1], policy.Policy, null, Streams: true, Arrived: _ => { });
        return await _service.Services.GetRequiredService<HoldBack>().PassAsync(
            answer, request, observer, new(policy, (_, _, _, _) => ToyJudgment.AnswerAsync()), cancellation);
    }

    private static void AssertIsWithheld(JsonElement completion, int start)
    {
        Assert.Equal("withheld", completion.GetProperty("finish_reason").GetString());
        Assert.Equal("refused", completion.GetProperty("withheld").GetProperty("reason").GetString());
        Assert.Equal(start, completion.GetProperty("withheld").GetProperty("start").GetInt32());
        var judgment = completion.GetProperty("output_judgment");
        Assert.Equal("refuse", judgment.GetProperty("decision").GetString());
        Assert.Contains(judgment.GetProperty("trace").GetProperty("rule_check").EnumerateArray(), check => check.GetProperty("verdict").GetString() == "violated");
        Assert.All(
            judgment.GetProperty("trace").GetProperty("rule_check").EnumerateArray(),
            check => Assert.Equal(JsonValueKind.Null, check.GetProperty("evidence").ValueKind));
        Assert.Equal("answer", completion.GetProperty("decision").GetString());
    }

    private static string? Text(SseItem<string> item) => JsonSerializer.Deserialize<JsonElement>(item.Data).GetProperty("text").GetString();

    /// <summary>An answer that has no end, in pieces of 40 characters.</summary>
    private sealed class Endless : IAnswer
    {
        public int Given { get; private set; }

        public AnswerEnd? End => null;

        public async IAsyncEnumerable<string> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                await Task.Yield();
                Given += 40;
                yield return s_long[..40];
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
