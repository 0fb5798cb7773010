using Microsoft.ML.OnnxRuntime;
using SaferGuard.Exporter;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Benchmarks.Kernels;

/// <summary>A graph of a few operators in ONNX Runtime, with all its inputs and outputs bound.</summary>
internal sealed class OperatorSession : IDisposable
{
    private const string GraphFile = "graph.onnx";
    private const string WeightsFile = "graph.data";

    private readonly string _folder = Directory.CreateTempSubdirectory("saferguard-").FullName;
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _runOptions = new();
    private readonly List<OrtValue> _values = [];

    /// <param name="threads">Threads of ONNX Runtime; 0 for one per core.</param>
    public OperatorSession(int threads, Action<OnnxGraph> build)
    {
        using (var weights = File.Create(Path.Combine(_folder, WeightsFile)))
        using (var model = File.Create(Path.Combine(_folder, GraphFile)))
        {
            var graph = new OnnxGraph("operators", weights, WeightsFile);
            build(graph);
            graph.Save(model);
        }

        using var options = new SessionOptions { IntraOpNumThreads = threads, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        CustomOpLibrary.Register(options);
        _session = new InferenceSession(Path.Combine(_folder, GraphFile), options);
        _binding = _session.CreateIoBinding();
    }

    public OperatorSession Input<T>(string name, T[] data, params long[] shape)
        where T : unmanaged
    {
        _values.Add(OrtValue.CreateTensorValueFromMemory(data, shape));
        _binding.BindInput(name, _values[^1]);
        return this;
    }

    public OperatorSession Output<T>(string name, params long[] shape)
        where T : unmanaged
    {
        _values.Add(OrtValue.CreateTensorValueFromMemory(new T[shape.Aggregate(1L, (a, b) => a * b)], shape));
        _binding.BindOutput(name, _values[^1]);
        return this;
    }

    public void Run() => _session.RunWithBinding(_runOptions, _binding);

    public void Dispose()
    {
        _binding.Dispose();
        _session.Dispose();
        _runOptions.Dispose();
        foreach (var value in _values) value.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
