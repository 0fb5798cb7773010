using SaferGuard.Benchmarks.Checkpoints;
using SaferGuard.Benchmarks.Gguf;
using SaferGuard.Exporter;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>One random model of a shape, in the formats of both sides. Made anew each time: the exporter may have changed.</summary>
internal sealed class Materials
{
    private readonly string _folder;
    private readonly string _checkpoint;

    public Materials(string work, string shape)
    {
        _folder = Path.Combine(work, shape);
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        _checkpoint = Path.Combine(_folder, "checkpoint");
        RandomCheckpoint.Write(_checkpoint, ModelShape.All[shape], seed: 1);
    }

    public ModelBundle Bundle(WeightFormat format) => BundleWriter.Write(
        Checkpoint.Load(_checkpoint), format, new BundleTraits($"random-{format}"), Path.Combine(_folder, $"{format}"), TimeProvider.System);

    public string Gguf(GgufType type)
    {
        var path = Path.Combine(_folder, $"{type}.gguf");
        GgufModel.Write(_checkpoint, path, type);
        return path;
    }
}
