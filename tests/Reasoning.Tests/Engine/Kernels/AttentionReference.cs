using System.Numerics.Tensors;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

/// <summary>Causal attention with rotary positions, written as the formula stands, in double precision.</summary>
internal static class AttentionReference
{
    /// <returns>(tokens, heads · head size)</returns>
    public static double[] Attend(HeadShape shape, KvCacheFormat cache, float[] sequence, float[] cos, float[] sin)
    {
        Func<float, double> kept = cache == KvCacheFormat.Bf16 ? Bf16 : x => x;
        var (size, tokens) = (shape.HeadSize, sequence.Length / shape.Packed);
        var output = new double[tokens * shape.Heads * size];
        for (var head = 0; head < shape.Heads; head++)
        {
            var kvHead = head / (shape.Heads / shape.KvHeads);
            var queries = Rotated(shape, sequence, head, cos, sin, x => x);
            var keys = Rotated(shape, sequence, shape.Heads + kvHead, cos, sin, kept);
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
                        output[(((t * shape.Heads) + head) * size) + d] += weights[s] / total * kept(value[d]);
                }
            }
        }

        return output;
    }

    /// <summary>The nearest number of eight binary digits; of two that are as near, the even one.</summary>
    public static double Bf16(float x)
    {
        if (x == 0 || !float.IsFinite(x)) return x;
        var unit = Math.ScaleB(1, Math.Max(Math.ILogB(x), -126) - 7);
        return (float)(Math.Round(x / unit, MidpointRounding.ToEven) * unit);
    }

    // Turned in single precision, as what is rounded to bf16 is: near the middle between two of those the last bit decides.
    private static double[][] Rotated(HeadShape shape, float[] sequence, int head, float[] cos, float[] sin, Func<float, double> kept)
    {
        var half = shape.HeadSize / 2;
        return [.. Enumerable.Range(0, sequence.Length / shape.Packed).Select(position =>
        {
            var x = sequence.AsSpan((position * shape.Packed) + (head * shape.HeadSize), shape.HeadSize);
            var rotated = new double[shape.HeadSize];
            for (var i = 0; i < half; i++)
            {
                float c = cos[(position * half) + i], s = sin[(position * half) + i];
                rotated[i] = kept((x[i] * c) - (x[half + i] * s));
                rotated[half + i] = kept((x[half + i] * c) + (x[i] * s));
            }

            return rotated;
        })];
    }
}
