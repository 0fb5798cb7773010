using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Reasoning.Tests.Engine;

/// <summary>Blocks of the toy model hold 4 tokens, so that blocks are shared, copied in part and forgotten all the time.</summary>
public class PrefixCacheTests
{
    private const int BlockSize = 4;

    private static readonly int[] SystemText = [.. Enumerable.Range(0, 42).Select(i => i * 7 % 64)];

    [Fact]
    public async Task A_text_that_prompts_begin_with_is_computed_once()
    {
        var runner = new ToyModelRunner();
        await using var engine = Engine(runner);
        await RunAsync(engine, new ToyProgram(1, 10, 2, prefix: SystemText));
        var computed = runner.Passes.Sum(p => p.Tokens);
        var second = new ToyProgram(2, 10, 0, prefix: SystemText);
        var cost = await RunAsync(engine, second);

        // 42 tokens are ten blocks and two tokens, which are copied with the block that they begin.
        Assert.Equal(42, cost.Cached);
        Assert.Equal(52 - 42, runner.Passes.Sum(p => p.Tokens) - computed);
        Assert.True(second.LogitsWereRight);
        Assert.Equal((42, 52 + 52), (engine.Statistics.CachedTokens, engine.Statistics.QueriedTokens));
    }

    [Fact]
    public async Task A_conversation_that_grows_is_computed_once()
    {
        await using var engine = Engine(new ToyModelRunner());
        int[] conversation = SystemText;
        for (var turn = 0; turn < 8; turn++)
        {
            var program = new ToyProgram(turn, 9, 0, prefix: conversation);
            var cost = await RunAsync(engine, program);
            if (turn > 0) Assert.InRange(cost.Cached, conversation.Length - BlockSize, conversation.Length);
            Assert.True(program.LogitsWereRight);
            conversation = program.Start.Tokens;
        }
    }

    [Fact]
    public async Task What_is_computed_at_the_same_time_is_kept_once()
    {
        var gate = new ManualResetEventSlim();
        var runner = new ToyModelRunner { BeforePass = gate.Wait };
        await using var engine = Engine(runner);
        var programs = Enumerable.Range(0, 6).Select(i => new ToyProgram(i, 3, 1, prefix: SystemText)).ToList();
        var requests = programs.Select(p => RunAsync(engine, p)).ToList();
        gate.Set();
        await Task.WhenAll(requests);
        await RunAsync(engine, new ToyProgram(9, 1, 0));

        Assert.All(programs, p => Assert.True(p.LogitsWereRight));
        Assert.InRange(engine.Statistics.KeptBlocks, 10, 10 + 6 * 3 + 1);
    }

    [Fact]
    public async Task Tokens_that_are_queried_are_computed_even_if_they_are_known()
    {
        await using var engine = Engine(new ToyModelRunner());
        for (var i = 0; i < 3; i++)
        {
            var program = new ToyProgram(1, 0, 0, queries: 24);
            var cost = await RunAsync(engine, program);
            Assert.Equal(0, cost.Cached);
            Assert.True(program.LogitsWereRight);
        }
    }

    [Fact]
    public async Task No_more_is_kept_than_the_options_allow()
    {
        await using var engine = Engine(new ToyModelRunner(), prefixCacheTokens: 40);
        for (var i = 0; i < 20; i++)
        {
            await RunAsync(engine, new ToyProgram(i, 60, 0));
            Assert.InRange(engine.Statistics.KeptBlocks, 0, 10);
        }
    }

    [Fact]
    public async Task Without_a_cache_nothing_is_kept_or_shared()
    {
        await using var engine = Engine(new ToyModelRunner(), prefixCacheTokens: 0);
        for (var i = 0; i < 3; i++) Assert.Equal(0, (await RunAsync(engine, new ToyProgram(i, 5, 1, prefix: SystemText))).Cached);
        Assert.Equal(0, engine.Statistics.KeptBlocks);
    }

    [Fact]
    public async Task The_longest_unused_text_is_forgotten_first()
    {
        await using var engine = Engine(new ToyModelRunner(blocks: 60), prefixCacheTokens: 120);
        int[] other = [.. SystemText.Select(t => 63 - t)];
        await RunAsync(engine, new ToyProgram(1, 1, 0, prefix: other));
        await RunAsync(engine, new ToyProgram(2, 1, 0, prefix: SystemText));
        await RunAsync(engine, new ToyProgram(3, 1, 0, prefix: other));
        await RunAsync(engine, new ToyProgram(4, 70, 0));

        Assert.InRange((await RunAsync(engine, new ToyProgram(5, 1, 0, prefix: other))).Cached, 36, 42);
        Assert.InRange((await RunAsync(engine, new ToyProgram(6, 1, 0, prefix: SystemText))).Cached, 0, 16);
    }

    [Fact]
    public async Task Programs_that_share_at_random_under_pressure_see_the_logits_of_their_own_tokens()
    {
        var runner = new ToyModelRunner(blocks: 90);
        await using var engine = Engine(runner, prefixCacheTokens: 120);
        var random = new Random(7);
        var prefixes = Enumerable.Range(0, 5).Select(_ => Enumerable.Range(0, 50).Select(_ => random.Next(64)).ToArray()).ToList();
        var programs = Enumerable.Range(0, 400).Select(i => new ToyProgram(
            random.Next(40), random.Next(1, 20), random.Next(4), random.Next(3), prefix: prefixes[random.Next(5)][..random.Next(50)])).ToList();
        using var cancellation = new CancellationTokenSource();

        await Task.WhenAll(programs.Select(async (program, i) =>
        {
            if (i % 5 == 0) await Task.Delay(1, TestContext.Current.CancellationToken);
            try
            {
                await engine.RunAsync(program, i % 50 == 49 ? cancellation.Token : TestContext.Current.CancellationToken);
                if (i == 200) await cancellation.CancelAsync();
            }
            catch (OperationCanceledException)
            {
                // One in fifty leaves early.
            }
        }));
        await RunAsync(engine, new ToyProgram(1, 1, 0));

        Assert.All(programs, p => Assert.True(p.LogitsWereRight));
        Assert.True(engine.Statistics.CachedTokens > 1000);
        Assert.Equal(90, engine.FreeBlocks);
        Assert.InRange(engine.Statistics.KeptBlocks, 1, 30);
    }

    /// <summary>Against a dictionary of strings that forgets nothing until it is told.</summary>
    [Fact]
    public void The_index_finds_what_was_put_into_it_and_nothing_else()
    {
        Gen.Int[0, 2].Array[BlockSize].Array[1, 40].Sample(contents =>
        {
            var index = new PrefixIndex(contents.Length, BlockSize);
            var known = new Dictionary<string, int>();
            var runs = new Dictionary<string, long> { [""] = PrefixIndex.Root };
            for (var block = 0; block < contents.Length; block++)
            {
                var parent = runs.Keys.ElementAt(contents[block][0] % runs.Count);
                var key = $"{runs[parent]}:{string.Concat(contents[block])}";
                Assert.Equal(known.GetValueOrDefault(key, -1), index.Find(runs[parent], contents[block]));
                if (known.ContainsKey(key)) continue;
                index.Add(runs[parent], contents[block], block);
                known[key] = block;
                runs[key] = index.RunOf(block);
                var (found, tokens) = index.FindPart(runs[parent], contents[block].AsSpan(0, BlockSize - 1));
                Assert.Equal((block, BlockSize - 1), (found, tokens));
                if (block % 3 != 2) continue;
                index.Remove(block);
                known.Remove(key);
                runs.Remove(key);
                Assert.Equal(-1, index.Find(runs[parent], contents[block]));
            }
        });
    }

    private static InferenceEngine Engine(ModelRunner runner, int prefixCacheTokens = 4096) => new(
        runner, null, new EngineOptions { MaxBatchTokens = 64, MaxChunkTokens = 16, MaxBatchQueries = 64, PrefixCacheTokens = prefixCacheTokens },
        NullLogger.Instance);

    private static Task<RequestCost> RunAsync(InferenceEngine engine, ToyProgram program) =>
        engine.RunAsync(program, TestContext.Current.CancellationToken);
}
