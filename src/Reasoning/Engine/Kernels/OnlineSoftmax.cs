using System.Runtime.CompilerServices;

namespace SaferGuard.Reasoning.Engine.Kernels;

internal static unsafe class OnlineSoftmax<S, V>
    where S : struct, ISimd<V>
    where V : unmanaged
{
    /// <summary>
    /// Turns the scores of one row into weights e^(score - peak) for the peak raised to theirs, adds them to the row's total,
    /// and returns what its earlier weights have to be multiplied by. The scores' memory is read and written up to a multiple of 16.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Advance(float* scores, int count, ref float peak, ref float total)
    {
        var padded = (count + 15) & ~15;
        for (var i = count; i < padded; i++)
            scores[i] = float.NegativeInfinity;

        // A NaN is no maximum, but makes its own weight, and so the row, NaN.
        var highest = S.Broadcast(peak);
        for (var i = 0; i < padded; i += S.Width)
            highest = S.Max(S.Load(scores + i), highest);
        var raised = S.Max(highest);
        var decay = VectorMath<ScalarSimd, float>.Exp(peak - raised);

        var subtrahend = S.Broadcast(raised);
        var sum = S.Broadcast(0f);
        for (var i = 0; i < padded; i += S.Width)
        {
            var weight = VectorMath<S, V>.Exp(S.Subtract(S.Load(scores + i), subtrahend));
            S.Store(weight, scores + i);
            sum = S.Add(sum, weight);
        }

        total = (total * decay) + S.Sum(sum);
        peak = raised;
        return decay;
    }
}
