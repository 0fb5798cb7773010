using BenchmarkDotNet.Attributes;
using static SaferGuard.Exporter.OnnxGraph;
using DataType = Onnx.TensorProto.Types.DataType;

namespace SaferGuard.Benchmarks.Kernels;

/// <summary>Rounding of activations to bytes, in the widths of the 135M shape.</summary>
public class RowQuantBenchmarks
{
    private OperatorSession _session = null!;

    [Params(1, 16, 256)]
    public int Rows { get; set; }

    [Params(576, 1536)]
    public int Columns { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        _session = new OperatorSession(0, graph =>
            {
                graph.Input("x", DataType.Float, Size("T"), Size(Columns));
                graph.Node($"{MicrosoftDomain}.RowQuant", ["bytes", "largest"], ["x"]);
                graph.Output("bytes", DataType.Uint8, Size("T"), Size(Columns));
                graph.Output("largest", DataType.Float, Size("T"), Size(1));
            })
            .Input("x", [.. Enumerable.Range(0, Rows * Columns).Select(_ => random.NextSingle() - 0.5f)], Rows, Columns)
            .Output<byte>("bytes", Rows, Columns)
            .Output<float>("largest", Rows, 1);
    }

    [Benchmark]
    public void Quantise() => _session.Run();

    [GlobalCleanup]
    public void Cleanup() => _session.Dispose();
}
