using System.Numerics.Tensors;
using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>Appends one token a pass: the likeliest of those that a step allows, or of all where it names none.</summary>
/// <param name="advanced">Told the number of the pass, from 0, on the engine's thread.</param>
internal sealed class TokenwiseProgram(int[] prompt, IReadOnlyList<int[]> steps, Action<int>? advanced = null) : SequenceProgram
{
    private readonly int[] _chosen = new int[steps.Count];
    private int _passes;

    public override Chunk Start { get; } = Chunk.QueriedAtEnd(prompt);

    public override Growth Growth => new(steps.Count);

    public int[] Chosen => _chosen;

    public override Continuation Advance(LogitRows logits)
    {
        advanced?.Invoke(_passes);
        var token = _chosen[_passes] = Likeliest(logits[0], steps[_passes]);
        return ++_passes == steps.Count ? Continuation.End : Decode(token);
    }

    private static int Likeliest(ReadOnlySpan<float> logits, int[] allowed)
    {
        if (allowed.Length == 0) return TensorPrimitives.IndexOfMax(logits);
        var likeliest = allowed[0];
        foreach (var token in allowed)
            if (logits[token] > logits[likeliest]) likeliest = token;
        return likeliest;
    }
}
