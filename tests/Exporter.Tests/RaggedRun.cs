using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Exporter.Tests;

/// <summary>Runs sequences through an exported graph in batches, with blocks that lie in no order.</summary>
internal sealed class RaggedRun : IDisposable
{
    private static readonly int[] Lengths = [1, 9, 35, 50];

    private static readonly EngineOptions Options = new()
    {
        CacheTokens = 1024,
        MaxBatchTokens = 256,
        MaxBatchSequences = 8,
        MaxBatchQueries = 256,
        Threads = 1,
    };

    private readonly OnnxModelRunner _runner;
    private readonly StepBatch _batch;
    private readonly Reasoning.Tokens.WordNgrams? _ngrams;
    private readonly Queue<int> _freeBlocks;

    public RaggedRun(Checkpoint checkpoint, string bundle, KvCacheFormat cache = KvCacheFormat.Fp32, Device device = Device.Cpu)
    {
        // Blocks are larger on other devices; there should be as many.
        var cacheTokens = device == Device.Cpu ? Options.CacheTokens : 16 * Options.CacheTokens;
        _runner = OnnxModelRunner.Open(
            Path.Combine(bundle, "model.onnx"), checkpoint.Config, Options with { KvCache = cache, Device = device, CacheTokens = cacheTokens });
        _batch = new StepBatch(Options, _runner);
        _ngrams = TinyCheckpoint.NgramsOf(checkpoint);
        var blocks = Enumerable.Range(0, _runner.BlockCount).ToArray();
        new Random(7).Shuffle(blocks);
        _freeBlocks = new Queue<int>(blocks);
    }

    public void Dispose() => _runner.Dispose();

    /// <summary>Feeds each sequence its next tokens in one pass and returns the logits of all of them.</summary>
    public float[][][] Step(params (Cursor Sequence, int Take)[] chunks)
    {
        Fill(chunks);
        _runner.Run(_batch);
        var row = 0;
        return [.. chunks.Select(c => Enumerable.Range(0, c.Take).Select(_ => Row(row++)).ToArray())];
    }

    /// <summary>A sequence of its own that goes on with other tokens; shares the full blocks and copies the last one.</summary>
    public Cursor Fork(Cursor sequence, int[] tokens)
    {
        var fork = new Cursor([.. sequence.Tokens.AsSpan(0, sequence.Past), .. tokens]) { Past = sequence.Past, Ngrams = sequence.Ngrams };
        var copy = _freeBlocks.Dequeue();
        _runner.CopyBlock(sequence.Blocks[^1], copy);
        fork.Blocks.AddRange([.. sequence.Blocks.SkipLast(1), copy]);
        return fork;
    }

    /// <summary>Managed bytes that the passes allocate which a function makes.</summary>
    public long AllocatedBytes(Action<Action<(Cursor Sequence, int Take)[]>> passes)
    {
        var bytes = 0L;
        passes(chunks =>
        {
            Fill(chunks);
            var before = GC.GetAllocatedBytesForCurrentThread();
            _runner.Run(_batch);
            bytes += GC.GetAllocatedBytesForCurrentThread() - before;
        });
        return bytes;
    }

    /// <summary>Four sequences in random chunks: prefill in parts, decoding, and batches of both. Gives (actual, expected) logits.</summary>
    public IEnumerable<(float[] Actual, float[] Expected)> RandomSteps(Checkpoint checkpoint, int seed)
    {
        var random = new Random(seed);
        var model = new PlainTransformer(checkpoint);
        var ngrams = TinyCheckpoint.NgramsOf(checkpoint);
        var sequences = Lengths.Select(length => new Cursor(TinyCheckpoint.Tokens(random, length))).ToArray();
        var expected = sequences.Select(s => model.Forward(s.Tokens, ngrams?.Of(s.Tokens) ?? [])).ToArray();
        while (sequences.Any(s => s.Left > 0))
        {
            var chunks = sequences.Select((s, i) => (Index: i, Take: Math.Min(s.Left, random.Next(3) switch { 0 => 0, 1 => 1, _ => 20 })))
                .Where(c => c.Take > 0).ToArray();
            if (chunks.Length == 0) continue;
            int[] past = [.. chunks.Select(c => sequences[c.Index].Past)];
            var logits = Step([.. chunks.Select(c => (sequences[c.Index], c.Take))]);
            for (var c = 0; c < chunks.Length; c++)
            {
                for (var i = 0; i < chunks[c].Take; i++) yield return (logits[c][i], expected[chunks[c].Index][past[c] + i]);
            }
        }
    }

    private void Fill((Cursor Sequence, int Take)[] chunks)
    {
        foreach (var (sequence, take) in chunks)
        {
            while (sequence.Blocks.Count * _runner.BlockSize < sequence.Past + take) sequence.Blocks.Add(_freeBlocks.Dequeue());
        }

        _batch.Clear(chunks.Max(c => c.Sequence.Blocks.Count));
        foreach (var (sequence, take) in chunks)
        {
            for (var i = 0; i < take; i++) _batch.AddQuery(_batch.Tokens + i);
            _batch.Add(sequence.Tokens.AsSpan(sequence.Past, take), sequence.Past, sequence.Blocks.ToArray(), _ngrams, ref sequence.Ngrams);
            sequence.Past += take;
        }
    }

    private float[] Row(int row) => _batch.Logits.AsSpan(row * _runner.VocabularySize, _runner.VocabularySize).ToArray();

    /// <summary>A sequence, and how much of it the cache has.</summary>
    internal sealed class Cursor(int[] tokens)
    {
        public Reasoning.Tokens.WordNgrams.State Ngrams;

        public int[] Tokens => tokens;

        public List<int> Blocks { get; } = [];

        public int Past { get; set; }

        public int Left => tokens.Length - Past;
    }
}
