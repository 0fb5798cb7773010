using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Exporter.Tests;

/// <summary>Runs sequences through an exported graph in batches, with blocks that lie in no order.</summary>
internal sealed class RaggedRun : IDisposable
{
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

    public RaggedRun(Checkpoint checkpoint, string bundle, KvCacheFormat cache = KvCacheFormat.Fp32)
    {
        _runner = OnnxModelRunner.Open(Path.Combine(bundle, "model.onnx"), checkpoint.Config, Options with { KvCache = cache });
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

        _runner.Run(_batch);
        var row = 0;
        return [.. chunks.Select(c => Enumerable.Range(0, c.Take).Select(_ => Row(row++)).ToArray())];
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
