using Microsoft.Extensions.Logging.Abstractions;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Exporter.Tests;

/// <summary>Exported graphs under the engine that serves them: requests join, fork, are cancelled and leave at random.</summary>
public sealed class ServingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_crowd_gets_the_logits_of_the_plain_model(bool ngrams)
    {
        var checkpoint = Export(WeightFormat.Fp32, ngrams);
        await using var engine = Engine(checkpoint, WeightFormat.Fp32);
        var programs = await RunCrowdAsync(engine);

        var plain = new PlainTransformer(checkpoint);
        var buckets = TinyCheckpoint.NgramsOf(checkpoint);
        foreach (var (sequence, rows) in programs.SelectMany(p => p.Asked))
        {
            var expected = plain.Forward(sequence, buckets?.Of(sequence) ?? []);
            foreach (var (position, logits) in rows)
                for (var i = 0; i < logits.Length; i++) Assert.InRange(MathF.Abs(logits[i] - expected[position][i]), 0, 2e-4f);
        }
    }

    [Theory]
    [InlineData(nameof(WeightFormat.Fp32))]
    [InlineData(nameof(WeightFormat.Int8))]
    public async Task A_request_gets_the_same_bits_alone_in_a_crowd_and_from_the_prefix_cache(string name)
    {
        var format = Enum.Parse<WeightFormat>(name);
        var checkpoint = Export(format, ngrams: true);
        await using var engine = Engine(checkpoint, format);
        await using var bare = Engine(checkpoint, format, prefixCacheTokens: 0);
        var crowd = await RunCrowdAsync(engine);
        var cachedBefore = engine.Statistics.CachedTokens;
        foreach (var program in crowd)
        {
            var alone = new RandomProgram(program.Seed);
            await bare.RunAsync(alone, TestContext.Current.CancellationToken);
            Assert.Equal(Bits(alone), Bits(program));
            for (var i = 0; i < 2; i++)
            {
                var cached = new RandomProgram(program.Seed);
                await engine.RunAsync(cached, TestContext.Current.CancellationToken);
                Assert.Equal(Bits(alone), Bits(cached));
            }
        }

        Assert.Equal(0, bare.Statistics.CachedTokens);
        Assert.InRange(engine.Statistics.CachedTokens - cachedBefore, 200, 2 * 24 * 61);

        static IEnumerable<float> Bits(RandomProgram program) => program.Asked.SelectMany(a => a.Rows).SelectMany(r => r.Logits);
    }

    /// <summary>Twenty-four requests, and as many that are cancelled on their way; afterwards every block is free.</summary>
    private static async Task<RandomProgram[]> RunCrowdAsync(InferenceEngine engine)
    {
        var free = engine.FreeBlocks;
        RandomProgram[] programs = [.. Enumerable.Range(0, 24).Select(i => new RandomProgram(i))];
        await Task.WhenAll(programs.Select(async (program, i) =>
        {
            await Task.Delay(i % 5, TestContext.Current.CancellationToken);
            using var cancellation = new CancellationTokenSource();
            var lost = engine.RunAsync(new RandomProgram(1000 + i, onAsked: cancellation.Cancel), cancellation.Token);
            await engine.RunAsync(program, TestContext.Current.CancellationToken);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lost);
        }));

        await engine.RunAsync(new RandomProgram(99), TestContext.Current.CancellationToken);
        Assert.Equal(free, engine.FreeBlocks);
        return programs;
    }

    private Checkpoint Export(WeightFormat format, bool ngrams)
    {
        var checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], TinyCheckpoint.Config(ngrams: ngrams));
        Directory.CreateDirectory(_folder[format.ToString()]);
        TransformerExporter.Export(checkpoint, format, _folder[format.ToString()]);
        return checkpoint;
    }

    private InferenceEngine Engine(Checkpoint checkpoint, WeightFormat format, int prefixCacheTokens = 512)
    {
        // Small bounds, so that prompts are computed in parts and requests wait for memory.
        var options = new EngineOptions
        {
            CacheTokens = 1024,
            MaxBatchTokens = 64,
            MaxChunkTokens = 16,
            MaxBatchSequences = 8,
            MaxBatchQueries = 64,
            PrefixCacheTokens = prefixCacheTokens,
            Threads = 1,
            RequestTimeout = TimeSpan.FromMinutes(5),
        };
        var graph = Path.Combine(_folder[format.ToString()], "model.onnx");
        return new InferenceEngine(OnnxModelRunner.Open(graph, checkpoint.Config, options), TinyCheckpoint.NgramsOf(checkpoint), options, NullLogger.Instance);
    }

    /// <summary>Random chunks with random queries, then two branches of the same kind.</summary>
    private sealed class RandomProgram : SequenceProgram
    {
        private readonly Random _random;
        private readonly Action? _onAsked;
        private readonly List<int> _sequence;
        private readonly List<RandomProgram> _branches = [];
        private readonly List<(int[] Sequence, List<(int Position, float[] Logits)> Rows)> _asked = [];
        private readonly bool _forks;
        private Chunk _last;
        private int _left = 3;

        public RandomProgram(int seed, Action? onAsked = null)
            : this(seed, [], forks: true, onAsked)
        {
        }

        private RandomProgram(int seed, IEnumerable<int> shared, bool forks, Action? onAsked)
        {
            (Seed, _random, _forks, _onAsked) = (seed, new Random(seed), forks, onAsked);
            Start = _last = RandomChunk(1 + _random.Next(forks ? 60 : 6));
            _sequence = [.. shared, .. Start.Tokens];
        }

        public int Seed { get; }

        public override Chunk Start { get; }

        public override Growth Growth => _forks ? new Growth(3 * 6, 2, 4 * 6) : new Growth(3 * 6);

        public IEnumerable<(int[] Sequence, List<(int Position, float[] Logits)> Rows)> Asked => _asked.Concat(_branches.SelectMany(b => b.Asked));

        public override Continuation Advance(LogitRows logits)
        {
            var rows = new List<(int, float[])>();
            for (var i = 0; i < logits.Count; i++) rows.Add((_sequence.Count - _last.Tokens.Length + _last.Queries[i], logits[i].ToArray()));
            _asked.Add(([.. _sequence], rows));
            _onAsked?.Invoke();
            if (_left-- > 0)
            {
                _last = RandomChunk(1 + _random.Next(6));
                _sequence.AddRange(_last.Tokens);
                return Continuation.Append(_last);
            }

            if (!_forks) return Continuation.End;
            for (var i = 0; i < 2; i++) _branches.Add(new RandomProgram(_random.Next(), _sequence, forks: false, _onAsked));
            return Continuation.Fork([.. _branches]);
        }

        private Chunk RandomChunk(int length)
        {
            var first = Math.Max(0, length - 1 - _random.Next(3));
            return new Chunk(TinyCheckpoint.Tokens(_random, length), [.. Enumerable.Range(first, length - first)]);
        }
    }
}
