using System.Numerics.Tensors;
using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>Appends one token a pass: the likeliest of those that a step allows, or of all where it names none. Allocates nothing.</summary>
/// <param name="advanced">Told the number of the pass, from 0, on the engine's thread.</param>
internal sealed class TokenwiseProgram(int[] prompt, IReadOnlyList<int[]> steps, Action<int>? advanced = null) : SequenceProgram
{
    private static readonly int[] Only = [0];

    private readonly int[] _token = [0];
    private readonly int[] _chosen = new int[steps.Count];
    private int _done;

    public override Chunk Start => Chunk.QueriedAtEnd(prompt);

    public override Growth Growth => new(steps.Count);

    public IReadOnlyList<int> Chosen => _chosen;

    public override Continuation Advance(LogitRows logits)
    {
        advanced?.Invoke(_done);
        _token[0] = _chosen[_done] = Best(logits[0], steps[_done]);
        return ++_done == steps.Count ? Continuation.End : Continuation.Append(new Chunk(_token, Only, Chosen: 1));
    }

    private static int Best(ReadOnlySpan<float> logits, int[] allowed)
    {
        if (allowed.Length == 0) return TensorPrimitives.IndexOfMax(logits);
        var best = allowed[0];
        foreach (var token in allowed)
            if (logits[token] > logits[best]) best = token;
        return best;
    }
}
