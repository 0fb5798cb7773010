using System.Diagnostics;
using System.Numerics.Tensors;
using SaferGuard.Benchmarks.Kernels;
using SaferGuard.Exporter;
using static SaferGuard.Exporter.OnnxGraph;
using DataType = Onnx.TensorProto.Types.DataType;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>What the machine gives at most. The speed of a shared machine changes, so products are measured in turn with what is held against them.</summary>
internal sealed class Limits : IDisposable
{
    private const int StreamFloats = 1 << 27; // half a gigabyte: far more than any cache
    private const int Rows = 1024, Inner = 2048, Columns = 2048;
    private const double Operations = 2.0 * Rows * Inner * Columns;

    private readonly OperatorSession _int8 = Int8Product();
    private readonly OperatorSession _fp32 = Fp32Product();

    private Limits(double bytesPerSecond) => BytesPerSecond = bytesPerSecond;

    /// <summary>Of a long read from memory by all threads.</summary>
    public double BytesPerSecond { get; }

    public static Limits Measure(int rounds)
    {
        var stream = new float[StreamFloats];
        Array.Fill(stream, 1f);
        return new Limits(Enumerable.Range(0, 2 * rounds).Max(_ => (double)StreamFloats * sizeof(float) / Seconds(() => Read(stream))));
    }

    /// <summary>Operations a second (a multiplication and an addition are two) of a large product in ONNX Runtime, of bytes or of floats: the best of three.</summary>
    public double Product(Precision precision)
    {
        var product = precision.Ours == WeightFormat.Int8 ? _int8 : _fp32;
        return Enumerable.Range(0, 3).Max(_ => Operations / Seconds(product.Run));
    }

    public void Dispose()
    {
        _int8.Dispose();
        _fp32.Dispose();
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
