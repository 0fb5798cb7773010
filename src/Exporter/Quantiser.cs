using System.Numerics.Tensors;

namespace SaferGuard.Exporter;

/// <summary>Rounds matrices to few bits, symmetrically around zero. Matrices are row-major (rows, columns).</summary>
internal static class Quantiser
{
    public const int BlockSize = 32;

    private const int Int8Limit = 127;
    private const int Int4Limit = 7;
    private const int Int4Zero = 8;

    /// <summary>8 bits with a scale for each row: <c>weights[r, c] ≈ values[r, c] * scales[r]</c>.</summary>
    public static (sbyte[] Values, float[] Scales) PerRow(ReadOnlySpan<float> weights, int columns)
    {
        var values = new sbyte[weights.Length];
        var scales = new float[weights.Length / columns];
        for (var row = 0; row < scales.Length; row++)
        {
            var source = weights.Slice(row * columns, columns);
            var scale = scales[row] = Scale(source, Int8Limit);
            for (var i = 0; i < columns; i++) values[row * columns + i] = (sbyte)Round(source[i], scale, Int8Limit);
        }

        return (values, scales);
    }

    /// <summary>
    /// 4 bits with a scale for each block of a row, in the layout of <c>MatMulNBits</c>: two values to a byte, low half first, zero stored as 8,
    /// rows padded to whole blocks.
    /// </summary>
    public static (byte[] Values, float[] Scales) PerBlock(ReadOnlySpan<float> weights, int columns)
    {
        var rows = weights.Length / columns;
        var blocks = BlocksOf(columns);
        var values = new byte[rows * blocks * (BlockSize / 2)];
        var scales = new float[rows * blocks];
        Array.Fill(values, (byte)(Int4Zero << 4 | Int4Zero));
        for (var row = 0; row < rows; row++)
        {
            for (var block = 0; block < blocks; block++)
            {
                var start = block * BlockSize;
                var source = weights.Slice(row * columns + start, Math.Min(BlockSize, columns - start));
                var index = row * blocks + block;
                var scale = scales[index] = Scale(source, Int4Limit);
                var target = values.AsSpan(index * (BlockSize / 2), BlockSize / 2);
                for (var i = 0; i < source.Length; i++)
                {
                    var value = Round(source[i], scale, Int4Limit) + Int4Zero;
                    ref var pair = ref target[i / 2];
                    pair = (byte)(i % 2 == 0 ? (pair & 0xF0) | value : (pair & 0x0F) | value << 4);
                }
            }
        }

        return (values, scales);
    }

    public static int BlocksOf(int columns) => (columns + BlockSize - 1) / BlockSize;

    /// <summary>(rows, columns) → (columns, rows).</summary>
    public static T[] Transpose<T>(ReadOnlySpan<T> matrix, int columns)
    {
        var rows = matrix.Length / columns;
        var transposed = new T[matrix.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++) transposed[column * rows + row] = matrix[row * columns + column];
        }

        return transposed;
    }

    /// <summary>The largest magnitude becomes <paramref name="limit"/>. Zeros, and values too small to divide by, get the scale 1.</summary>
    private static float Scale(ReadOnlySpan<float> values, int limit)
    {
        var scale = MathF.Abs(TensorPrimitives.MaxMagnitude(values)) / limit;
        return float.IsNormal(scale) ? scale : 1;
    }

    private static int Round(float value, float scale, int limit) => Math.Clamp((int)MathF.Round(value / scale), -limit, limit);
}
