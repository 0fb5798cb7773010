using System.Numerics.Tensors;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

/// <summary>Causal attention with rotary positions, written as the formula stands, in double precision.</summary>
internal static class AttentionReference
{
    /// <returns>(tokens, heads · head size)</returns>
    public static double[] Attend(HeadShape shape, float[] sequence, float[] cos, float[] sin)
    {
        var (size, tokens) = (shape.HeadSize, sequence.Length / shape.Packed);
        var output = new double[tokens * shape.Heads * size];
        for (var head = 0; head < shape.Heads; head++)
        {
            var kvHead = head / (shape.Heads / shape.KvHeads);
            var queries = Rotated(shape, sequence, head, cos, sin);
            var keys = Rotated(shape, sequence, shape.Heads + kvHead, cos, sin);
            for (var t = 0; t < tokens; t++)
            {
                var weights = new double[t + 1];
                for (var s = 0; s <= t; s++)
                    weights[s] = Math.Exp(TensorPrimitives.Dot<double>(queries[t], keys[s]) / Math.Sqrt(size));
                var total = weights.Sum();
                for (var s = 0; s <= t; s++)
                {
                    var value = sequence.AsSpan((s * shape.Packed) + ((shape.Heads + shape.KvHeads + kvHead) * size), size);
                    for (var d = 0; d < size; d++)
                        output[(((t * shape.Heads) + head) * size) + d] += weights[s] / total * value[d];
                }
            }
        }

        return output;
    }

    private static double[][] Rotated(HeadShape shape, float[] sequence, int head, float[] cos, float[] sin)
    {
        var half = shape.HeadSize / 2;
        return [.. Enumerable.Range(0, sequence.Length / shape.Packed).Select(position =>
        {
            var x = sequence.AsSpan((position * shape.Packed) + (head * shape.HeadSize), shape.HeadSize);
            var rotated = new double[shape.HeadSize];
            for (var i = 0; i < half; i++)
            {
                double c = cos[(position * half) + i], s = sin[(position * half) + i];
                rotated[i] = (x[i] * c) - (x[half + i] * s);
                rotated[half + i] = (x[half + i] * c) + (x[i] * s);
            }

            return rotated;
        })];
    }
}
