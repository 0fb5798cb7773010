using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;
using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Benchmarks.Kernels;

/// <summary>What is done with a row of logits: a choice among all tokens of text, and a choice among a few.</summary>
public class TokenChoiceBenchmarks
{
    private static readonly int[] Few = [20, 21, 22];

    private float[] _logits = [], _mask = [], _scores = [];

    [Params(8192, 49_152)]
    public int Vocabulary { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        _logits = [.. Enumerable.Range(0, Vocabulary).Select(_ => random.NextSingle())];
        _mask = [.. Enumerable.Range(0, Vocabulary).Select(i => i < 75 ? float.NegativeInfinity : 0)];
        _scores = new float[Vocabulary];
    }

    [Benchmark]
    public int AmongAllowed()
    {
        TensorPrimitives.Add(_logits, _mask, _scores);
        return TensorPrimitives.IndexOfMax<float>(_scores);
    }

    [Benchmark]
    public double AmongFew() => TokenChoice.Probabilities(_logits, Few)[0];
}
