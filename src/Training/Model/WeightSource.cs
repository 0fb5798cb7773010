using SaferGuard.Reasoning.Checkpoints;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>Where modules get their first values: from chance, or from tensors below the module's name, of a checkpoint or of another decoder.</summary>
internal sealed class WeightSource
{
    private readonly Func<string, ScalarType, Parameter>? _read;
    private readonly ScalarType _matrices;
    private readonly string _prefix;

    private WeightSource(Func<string, ScalarType, Parameter>? read, ScalarType matrices, string prefix) => (_read, _matrices, _prefix) = (read, matrices, prefix);

    public static WeightSource Chance { get; } = new(null, ScalarType.Float32, "");

    /// <param name="matrices">Precision in which matrices are kept; vectors are always 32-bit floats.</param>
    public static WeightSource Of(Checkpoint checkpoint, ScalarType matrices) => new(
        (name, type) =>
        {
            var (shape, data) = checkpoint.Read(name);
            return new Parameter(tensor(data, shape, dtype: type));
        },
        matrices,
        "");

    /// <summary>Copies of what is trained, and the very memory of what is frozen.</summary>
    public static WeightSource Of(Decoder decoder)
    {
        var parameters = decoder.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        return new WeightSource(
            (name, _) => parameters[name] is { requires_grad: true } trained
                ? new Parameter(trained.detach().clone())
                : new Parameter(parameters[name].detach(), requires_grad: false),
            ScalarType.Float32,
            "");
    }

    /// <summary>The source of a part of the module.</summary>
    public WeightSource In(string name) => new(_read, _matrices, $"{_prefix}{name}.");

    /// <param name="deviation">Standard deviation, where chance decides.</param>
    public Parameter Matrix(string name, long rows, long columns, double deviation) => // (rows, columns)
        _read is null ? new Parameter(randn(rows, columns).mul_(deviation)) : _read(_prefix + name, _matrices);

    /// <param name="value">Of every element, where chance decides.</param>
    public Parameter Vector(string name, long size, double value) => // (size)
        _read is null ? new Parameter(full([size], value)) : _read(_prefix + name, ScalarType.Float32);
}
