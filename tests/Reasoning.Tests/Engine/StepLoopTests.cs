using Microsoft.Extensions.Logging.Abstractions;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Reasoning.Tests.Engine;

public class StepLoopTests
{
    [Fact]
    public async Task A_step_of_decoding_allocates_no_managed_memory()
    {
        await using var engine = new InferenceEngine(new SilentRunner(), null, new EngineOptions(), NullLogger.Instance);
        var programs = Enumerable.Range(0, 8).Select(i => new Decoder(tokens: 400)).ToList();
        await Task.WhenAll(programs.Select(p => engine.RunAsync(p, TestContext.Current.CancellationToken)));

        // From step 100 to 300 of a sequence all of them decode; blocks are filled and put into the index meanwhile.
        Assert.All(programs, p => Assert.Equal(0, p.AllocatedBytes));
    }

    [Fact]
    public async Task A_request_that_takes_too_long_is_given_up_and_returns_its_blocks()
    {
        using var gate = new ManualResetEventSlim();
        var runner = new ToyModelRunner { BeforePass = gate.Wait };
        var options = new EngineOptions { MaxBatchTokens = 64, MaxBatchQueries = 64, RequestTimeout = TimeSpan.FromMilliseconds(400) };
        await using var engine = new InferenceEngine(runner, null, options, NullLogger.Instance);
        var late = Enumerable.Range(0, 3).Select(i => engine.RunAsync(new ToyProgram(i, 20, 3), TestContext.Current.CancellationToken)).ToList();
        foreach (var request in late) await Assert.ThrowsAsync<EngineTimeoutException>(() => request);
        var passes = runner.Passes.Count;
        gate.Set();

        await engine.RunAsync(new ToyProgram(9, 5, 1), TestContext.Current.CancellationToken);
        Assert.Equal(runner.BlockCount, engine.FreeBlocks);
        Assert.InRange(runner.Passes.Count - passes, 0, 4);
    }

    [Fact]
    public void What_has_begun_goes_before_what_begins_and_long_prompts_get_no_more_than_the_rest()
    {
        var options = new EngineOptions { MaxBatchTokens = 100, MaxChunkTokens = 40, MaxBatchQueries = 64 };
        var (firstLong, secondLong, begun, prompt1, prompt2) = (Running(200), Running(200), Running(50), Running(10), Running(8));
        begun.Blocks.AddRange([0, 1, 2]);
        begun.Advance(16);
        begun.Advance(16);
        begun.Advance(16);
        var plan = new StepPlan(options);

        plan.Make([prompt1, firstLong, secondLong, prompt2, begun]);
        Assert.Equal([(firstLong, 20), (begun, 2), (prompt1, 10), (prompt2, 8)], plan.Entries.ToArray());

        plan.Make([begun, firstLong]);
        Assert.Equal([(firstLong, 16), (begun, 2)], plan.Entries.ToArray());

        plan.Make([firstLong, secondLong]);
        Assert.Equal([(firstLong, 40)], plan.Entries.ToArray());
    }

    [Fact]
    public void Short_prompts_that_fill_the_pass_leave_room_for_the_oldest_long_one()
    {
        var plan = new StepPlan(new EngineOptions { MaxBatchTokens = 100, MaxChunkTokens = 40, MaxBatchQueries = 64 });
        var (longPrompt, others) = (Running(200), Enumerable.Range(0, 20).Select(_ => Running(30)).ToList());
        plan.Make([.. others, longPrompt]);
        Assert.Equal([(longPrompt, 40), (others[0], 30), (others[1], 30)], plan.Entries.ToArray());
    }

    private static Sequence Running(int tokens) => new(new EngineRequest(new Decoder(tokens: 1, prompt: tokens), 0), blockSize: 16);

    private sealed class SilentRunner : ModelRunner
    {
        public override int VocabularySize => 64;

        public override int MaxPositions => 1024;

        public override int NgramOrders => 0;

        public override int BlockSize => 16;

        public override int BlockCount => 1024;

        public override void Run(StepBatch batch) => batch.Logits.AsSpan().Fill(1);

        public override void CopyBlock(int source, int target)
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }

    /// <summary>Decodes tokens that no other sequence has, and notes what the engine's thread allocated between its steps 100 and 300.</summary>
    private sealed class Decoder(int tokens, int prompt = 3) : SequenceProgram
    {
        private readonly Random _random = new(tokens);
        private int _steps;
        private long _before;

        public long AllocatedBytes { get; private set; } = -1;

        public override Chunk Start { get; } = Chunk.QueriedAtEnd(new int[prompt]);

        public override Growth Growth => new(tokens);

        public override Continuation Advance(LogitRows logits)
        {
            _steps++;
            if (_steps == 100) _before = GC.GetAllocatedBytesForCurrentThread();
            if (_steps == 300) AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - _before;
            return _steps < tokens ? Decode(_random.Next(64)) : Continuation.End;
        }
    }
}
