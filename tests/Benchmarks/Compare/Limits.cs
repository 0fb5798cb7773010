using System.Diagnostics;
using System.Numerics.Tensors;
using SaferGuard.Benchmarks.Kernels;
using static SaferGuard.Exporter.OnnxGraph;
using DataType = Onnx.TensorProto.Types.DataType;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>What the machine gives at most.</summary>
/// <param name="BytesPerSecond">Of a long read from memory by all threads.</param>
/// <param name="Int8PerSecond">Operations (a multiplication and an addition are two) of a large product of bytes in ONNX Runtime.</param>
/// <param name="Fp32PerSecond">The same of floats.</param>
internal sealed record Limits(double BytesPerSecond, double Int8PerSecond, double Fp32PerSecond)
{
    private const int StreamFloats = 1 << 27; // half a gigabyte: far more than any cache
    private const int Rows = 1024, Inner = 2048, Columns = 2048;

    public static Limits Measure(int rounds)
    {
        var stream = new float[StreamFloats];
        Array.Fill(stream, 1f);
        using var int8 = Int8Product();
        using var fp32 = Fp32Product();
        const double Operations = 2.0 * Rows * Inner * Columns;
        return new Limits(
            Best(() => Read(stream), (double)StreamFloats * sizeof(float)), Best(int8.Run, Operations), Best(fp32.Run, Operations));

        double Best(Action action, double amount) => Enumerable.Range(0, 2 * rounds).Max(_ => amount / Seconds(action));
    }

    private static double Seconds(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Read(float[] stream)
    {
        var share = StreamFloats / CompareOptions.Threads;
        var readers = Enumerable.Range(0, CompareOptions.Threads)
            .Select(i => new Thread(() => TensorPrimitives.Sum<float>(stream.AsSpan(i * share, share)))).ToList();
        readers.ForEach(reader => reader.Start());
        readers.ForEach(reader => reader.Join());
    }

    private static OperatorSession Int8Product()
    {
        var random = new Random(1);
        var (x, weights) = (new byte[Rows * Inner], new sbyte[Inner * Columns]);
        random.NextBytes(x);
        for (var i = 0; i < weights.Length; i++) weights[i] = (sbyte)random.Next(-127, 128);
        return new OperatorSession(CompareOptions.Threads, graph =>
            {
                graph.Input("x", DataType.Uint8, Size(Rows), Size(Inner));
                graph.Constant<sbyte>("weights", [Inner, Columns], weights);
                graph.Constant<float>("x_scale", [], [1f]);
                graph.Constant<float>("scales", [Columns], [.. Enumerable.Repeat(1f, Columns)]);
                graph.Constant<byte>("x_zero", [], [128]);
                graph.Node($"{MicrosoftDomain}.MatMulIntegerToFloat", "y", ["x", "weights", "x_scale", "scales", "x_zero"]);
                graph.Output("y", DataType.Float, Size(Rows), Size(Columns));
            })
            .Input("x", x, Rows, Inner).Output<float>("y", Rows, Columns);
    }

    private static OperatorSession Fp32Product()
    {
        var ones = Enumerable.Repeat(1f, Inner * Columns).ToArray();
        return new OperatorSession(CompareOptions.Threads, graph =>
            {
                graph.Input("x", DataType.Float, Size(Rows), Size(Inner));
                graph.Constant<float>("weights", [Inner, Columns], ones);
                graph.Node("MatMul", "y", ["x", "weights"]);
                graph.Output("y", DataType.Float, Size(Rows), Size(Columns));
            })
            .Input("x", ones[..(Rows * Inner)], Rows, Inner).Output<float>("y", Rows, Columns);
    }
}
