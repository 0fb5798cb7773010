namespace SaferGuard.Training.Evaluation;

/// <summary>Collects what is wrong with the rows of a file, so that one reading names every line.</summary>
internal sealed class RowErrors(string path)
{
    private const int MaxListed = 50;

    private readonly List<string> _errors = [];

    public int Count { get; private set; }

    public void Add(int line, string message) => Add($"line {line}: {message}");

    public void Add(string error)
    {
        Count++;
        if (_errors.Count < MaxListed) _errors.Add(error);
    }

    /// <exception cref="InvalidDataException">There are errors.</exception>
    public void ThrowIfAny()
    {
        if (Count > 0) throw new InvalidDataException(ToString());
    }

    public override string ToString()
    {
        if (_errors is [var only]) return $"{path}, {only}";
        var rest = Count > _errors.Count ? $"{Environment.NewLine}- and {Count - _errors.Count} more lines." : "";
        return $"{path} has {Count} bad lines:{string.Concat(_errors.Select(e => $"{Environment.NewLine}- {e}"))}{rest}";
    }
}
