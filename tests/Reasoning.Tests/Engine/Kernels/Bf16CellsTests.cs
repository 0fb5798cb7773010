using System.Runtime.Intrinsics;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

public sealed unsafe class Bf16CellsTests
{
    private const int HeadSize = 2 * 37; // pairs beyond every vector

    [Theory]
    [ClassData(typeof(SupportedIsas))]
    public void Every_element_becomes_the_nearest_bf16_ties_to_even(KernelIsa isa)
    {
        var random = new Random(8);
        float[] edges =
        [
            0f, -0f, 1f, -1f, 1 + (1f / 256), 1 + (3f / 256), -(1 + (1f / 256)), MathF.BitIncrement(1 + (1f / 256)), MathF.BitDecrement(1 + (3f / 256)),
            float.Epsilon, -float.Epsilon, 1e-40f, float.MaxValue, -float.MaxValue, float.PositiveInfinity, float.NegativeInfinity,
        ];
        for (var round = 0; round < 200; round++)
        {
            var vector = Enumerable.Range(0, HeadSize).Select(_ => Finite(random)).ToArray();
            if (round == 0) edges.CopyTo(vector, 0);
            Assert.Equal(vector.Select(x => (float)AttentionReference.Bf16(x)), ThroughCells(isa, vector));
        }
    }

    [Theory]
    [ClassData(typeof(SupportedIsas))]
    public void Every_NaN_stays_one_and_leaves_its_neighbours_alone(KernelIsa isa)
    {
        foreach (var bits in (uint[])[0x7F80_0001, 0xFF80_0001, 0x7FC0_0000, 0x7FFF_FFFF, 0xFFFF_FFFF, 0xFFBF_8000])
        {
            for (var at = 0; at < HeadSize; at++)
            {
                var vector = Enumerable.Repeat(-1f, HeadSize).ToArray();
                vector[at] = BitConverter.UInt32BitsToSingle(bits);
                var kept = ThroughCells(isa, vector);
                Assert.All(kept, (x, i) => Assert.Equal(i == at ? float.NaN : -1f, x));
            }
        }
    }

    private static float Finite(Random random)
    {
        while (true)
        {
            var x = BitConverter.Int32BitsToSingle((random.Next(1 << 16) << 16) | random.Next(1 << 16));
            if (float.IsFinite(x)) return x;
        }
    }

    /// <summary>Packs a head's vector and loads it again.</summary>
    private static float[] ThroughCells(KernelIsa isa, float[] vector)
    {
        var loaded = new float[HeadSize];
        var cells = stackalloc float[HeadSize / 2];
        fixed (float* source = vector, target = loaded)
        {
            switch (isa)
            {
                case KernelIsa.Avx512:
                    ThroughCells<Avx512Simd, Vector512<float>>(source, cells, target);
                    break;
                case KernelIsa.Avx2:
                    ThroughCells<Avx2Simd, Vector256<float>>(source, cells, target);
                    break;
                default:
                    ThroughCells<ScalarSimd, float>(source, cells, target);
                    break;
            }
        }

        return loaded;
    }

    private static void ThroughCells<S, V>(float* source, float* cells, float* target)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        const int half = HeadSize / 2;
        Assert.True(Bf16Cells.Pack<S, V>(source, HeadSize, cells) == cells);
        var pair = 0;
        for (; pair + S.Width <= half; pair += S.Width)
        {
            Bf16Cells.Load<S, V>(cells + pair, half, out var low, out var high);
            S.Store(low, target + pair);
            S.Store(high, target + half + pair);
        }

        for (; pair < half; pair++)
            Bf16Cells.Load<ScalarSimd, float>(cells + pair, half, out target[pair], out target[half + pair]);
    }
}
