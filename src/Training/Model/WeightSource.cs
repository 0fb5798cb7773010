using SaferGuard.Reasoning.Checkpoints;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>Where modules get their first values: from chance, or from the tensors of a checkpoint below the module's name.</summary>
internal sealed class WeightSource
{
    private readonly Checkpoint? _checkpoint;
    private readonly ScalarType _matrices;
    private readonly string _prefix;

    private WeightSource(Checkpoint? checkpoint, ScalarType matrices, string prefix) => (_checkpoint, _matrices, _prefix) = (checkpoint, matrices, prefix);

    public static WeightSource Chance { get; } = new(null, ScalarType.Float32, "");

    /// <param name="matrices">Precision in which matrices are kept; vectors are always 32-bit floats.</param>
    public static WeightSource Of(Checkpoint checkpoint, ScalarType matrices) => new(checkpoint, matrices, "");

    /// <summary>The source of a part of the module.</summary>
    public WeightSource In(string name) => new(_checkpoint, _matrices, $"{_prefix}{name}.");

    /// <param name="deviation">Standard deviation, where chance decides.</param>
    public Parameter Matrix(string name, long rows, long columns, double deviation) => // (rows, columns)
        _checkpoint is null ? new Parameter(randn(rows, columns).mul_(deviation)) : Read(_checkpoint, name, _matrices);

    /// <param name="value">Of every element, where no checkpoint says it.</param>
    public Parameter Vector(string name, long size, double value) => // (size)
        _checkpoint is null ? new Parameter(full([size], value)) : Read(_checkpoint, name, ScalarType.Float32);

    private Parameter Read(Checkpoint checkpoint, string name, ScalarType type)
    {
        var (shape, data) = checkpoint.Read(_prefix + name);
        return new Parameter(tensor(data, shape, dtype: type));
    }
}
