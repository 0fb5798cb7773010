using BenchmarkDotNet.Attributes;
using SaferGuard.Benchmarks.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Benchmarks.Kernels;

/// <summary>The choice of a token from a row of logits, within the mask of sentences.</summary>
public class TokenChoiceBenchmarks
{
    private float[] _logits = [];
    private TokenMask _sentence = null!;

    [Params(8192, 49_152)]
    public int Vocabulary { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        _logits = [.. Enumerable.Range(0, Vocabulary).Select(_ => random.NextSingle())];
        var path = Path.GetTempFileName();
        RandomCheckpoint.WriteTokenizer(path, Vocabulary);
        _sentence = TokenMask.Sentence(GuardTokenizer.Load(path));
        File.Delete(path);
    }

    [Benchmark]
    public int Likeliest() => _sentence.Likeliest(_logits);

    [Benchmark]
    public int Sample() => _sentence.Sample(_logits, temperature: 0.7, draw: 0.5);
}
