using Microsoft.Extensions.Logging.Abstractions;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Reasoning.Tests.Engine;

public class InferenceEngineTests
{
    private static readonly EngineOptions Options = new() { MaxBatchTokens = 64, MaxChunkTokens = 16, MaxBatchSequences = 16, MaxBatchQueries = 64 };

    [Fact]
    public async Task Requests_that_join_fork_and_leave_at_random_see_the_logits_of_their_own_tokens()
    {
        await using var engine = Engine(new ToyModelRunner());
        var random = new Random(1);
        var programs = Enumerable.Range(0, 200)
            .Select(i => new ToyProgram(i, promptTokens: 3 + random.Next(60), chunks: random.Next(6), branches: random.Next(4))).ToList();

        await Task.WhenAll(programs.Select(async (program, i) =>
        {
            await Task.Delay(i % 7, TestContext.Current.CancellationToken);
            await engine.RunAsync(program, TestContext.Current.CancellationToken);
        }));

        Assert.All(programs, p => Assert.True(p.LogitsWereRight));
        Assert.All(programs.SelectMany(p => p.Branches), b => Assert.True(b.LogitsWereRight));
        Assert.Equal(256, engine.FreeBlocks);
    }

    [Fact]
    public async Task A_request_in_a_crowd_ends_as_it_does_alone()
    {
        await using var engine = Engine(new ToyModelRunner());
        var alone = new ToyProgram(5, promptTokens: 40, chunks: 4, branches: 2);
        await engine.RunAsync(alone, TestContext.Current.CancellationToken);

        var crowded = new ToyProgram(5, promptTokens: 40, chunks: 4, branches: 2);
        var crowd = Enumerable.Range(100, 30).Select(i => engine.RunAsync(new ToyProgram(i, 20, 5), TestContext.Current.CancellationToken));
        await Task.WhenAll(crowd.Append(engine.RunAsync(crowded, TestContext.Current.CancellationToken)));

        Assert.Equal(alone.Outcome, crowded.Outcome);
    }

    [Fact]
    public async Task Waiting_requests_share_the_passes()
    {
        var gate = new ManualResetEventSlim();
        var runner = new ToyModelRunner { BeforePass = gate.Wait };
        await using var engine = Engine(runner);
        var requests = Enumerable.Range(0, 8).Select(i => engine.RunAsync(new ToyProgram(i, 5, 4), TestContext.Current.CancellationToken)).ToList();
        gate.Set();
        await Task.WhenAll(requests);

        Assert.Contains(runner.Passes, p => p.Sequences >= 7);
        Assert.All(runner.Passes, p => Assert.InRange(p.Tokens, 1, Options.MaxBatchTokens));
    }

    [Fact]
    public async Task A_long_prompt_is_computed_in_parts_beside_short_ones()
    {
        var gate = new ManualResetEventSlim();
        var runner = new ToyModelRunner { BeforePass = gate.Wait };
        await using var engine = Engine(runner);
        var longPrompt = engine.RunAsync(new ToyProgram(1, promptTokens: 400, chunks: 0), TestContext.Current.CancellationToken);
        var shortPrompts = Enumerable.Range(2, 6).Select(i => engine.RunAsync(new ToyProgram(i, 5, 1), TestContext.Current.CancellationToken)).ToList();
        gate.Set();
        await Task.WhenAll(shortPrompts);

        Assert.False(longPrompt.IsCompleted && runner.Passes.Count < 5);
        await longPrompt;
        Assert.True(runner.Passes.Count >= 400 / Options.MaxBatchTokens);
    }

    [Fact]
    public async Task A_cancelled_request_returns_its_blocks()
    {
        var runner = new ToyModelRunner();
        await using var engine = Engine(runner);
        using var cancellation = new CancellationTokenSource();
        var endless = new ToyProgram(1, 10, 20, branches: 3, onNext: cancellation.Cancel);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.RunAsync(endless, cancellation.Token));
        await engine.RunAsync(new ToyProgram(2, 5, 1), TestContext.Current.CancellationToken);

        Assert.Equal(runner.BlockCount, engine.FreeBlocks);
    }

    [Fact]
    public async Task A_request_that_can_never_fit_is_refused_at_once()
    {
        await using var engine = Engine(new ToyModelRunner(blocks: 8));
        await Assert.ThrowsAsync<EngineUnavailableException>(() => engine.RunAsync(new ToyProgram(1, 100, 1), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_chunk_whose_queries_can_never_fit_into_a_pass_fails_its_request()
    {
        await using var engine = Engine(new ToyModelRunner());
        var program = new ToyProgram(1, 5, 1, queries: Options.MaxBatchQueries + 1);
        await Assert.ThrowsAsync<EngineUnavailableException>(() => engine.RunAsync(program, TestContext.Current.CancellationToken));
        Assert.True(engine.IsHealthy);
    }

    [Fact]
    public async Task A_request_beyond_the_queue_is_refused()
    {
        var gate = new ManualResetEventSlim();
        await using var engine = Engine(new ToyModelRunner { BeforePass = gate.Wait }, Options with { MaxQueuedRequests = 2 });
        var accepted = Enumerable.Range(1, 2).Select(i => engine.RunAsync(new ToyProgram(i, 5, 1), TestContext.Current.CancellationToken)).ToList();

        await Assert.ThrowsAsync<EngineUnavailableException>(() => engine.RunAsync(new ToyProgram(3, 5, 1), TestContext.Current.CancellationToken));
        gate.Set();
        await Task.WhenAll(accepted);
    }

    [Fact]
    public async Task Requests_wait_until_their_worst_case_fits()
    {
        var runner = new ToyModelRunner(blocks: 30);
        await using var engine = Engine(runner);
        var programs = Enumerable.Range(0, 40).Select(i => new ToyProgram(i, promptTokens: 30, chunks: 2, branches: 1)).ToList();
        await Task.WhenAll(programs.Select(p => engine.RunAsync(p, TestContext.Current.CancellationToken)));

        Assert.All(programs, p => Assert.True(p.LogitsWereRight));
        Assert.Equal(30, engine.FreeBlocks);
    }

    [Fact]
    public async Task A_program_that_throws_fails_only_its_own_request()
    {
        var runner = new ToyModelRunner();
        await using var engine = Engine(runner);
        var bad = engine.RunAsync(new ToyProgram(1, 5, 1, onNext: () => throw new FormatException("bad")), TestContext.Current.CancellationToken);
        var good = engine.RunAsync(new ToyProgram(2, 5, 3), TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<FormatException>(() => bad);
        await good;
        Assert.True(engine.IsHealthy);
        Assert.Equal(runner.BlockCount, engine.FreeBlocks);
    }

    [Fact]
    public async Task A_program_that_outgrows_what_it_announced_fails_only_its_own_request()
    {
        var runner = new ToyModelRunner();
        await using var engine = Engine(runner);
        var good = engine.RunAsync(new ToyProgram(2, 5, 3), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<InvalidOperationException>(() => engine.RunAsync(new EndlessProgram(forks: false), TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<InvalidOperationException>(() => engine.RunAsync(new EndlessProgram(forks: true), TestContext.Current.CancellationToken));
        await good;
        await engine.RunAsync(new ToyProgram(3, 5, 1), TestContext.Current.CancellationToken);

        Assert.True(engine.IsHealthy);
        Assert.Equal(runner.BlockCount, engine.FreeBlocks);
    }

    [Fact]
    public async Task A_long_prompt_gets_on_under_a_stream_of_short_ones()
    {
        var runner = new ToyModelRunner();
        await using var engine = Engine(runner);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var stream = Enumerable.Range(0, 24).Select(i => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) await engine.RunAsync(new ToyProgram(i, 15, 0), TestContext.Current.CancellationToken);
        })).ToList();
        await engine.RunAsync(new ToyProgram(99, promptTokens: 400, chunks: 0), TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Task.WhenAll(stream);
    }

    [Fact]
    public async Task A_failed_pass_stops_the_engine_and_fails_every_request()
    {
        await using var engine = Engine(new ToyModelRunner { BeforePass = () => throw new InvalidOperationException("device lost") });
        await Assert.ThrowsAsync<EngineUnavailableException>(() => engine.RunAsync(new ToyProgram(1, 5, 1), TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<EngineUnavailableException>(() => engine.RunAsync(new ToyProgram(2, 5, 1), TestContext.Current.CancellationToken));
        Assert.False(engine.IsHealthy);
    }

    [Fact]
    public void Options_out_of_range_are_all_named()
    {
        var error = Assert.Throws<ArgumentException>(() => Engine(new ToyModelRunner(), new EngineOptions { CacheTokens = 1, MaxBatchTokens = 0 }));
        Assert.Contains(nameof(EngineOptions.CacheTokens), error.Message);
        Assert.Contains(nameof(EngineOptions.MaxBatchTokens), error.Message);
    }

    private sealed class EndlessProgram(bool forks) : SequenceProgram
    {
        public override Chunk Start => Chunk.QueriedAtEnd([1]);

        public override Growth Growth => new(3);

        public override Continuation Advance(LogitRows logits) =>
            forks ? Continuation.Fork([new EndlessProgram(false)]) : Continuation.Append(Chunk.QueriedAtEnd([2]));
    }

    private static InferenceEngine Engine(ModelRunner runner, EngineOptions? options = null) =>
        new(runner, null, options ?? Options, NullLogger.Instance);
}
