namespace SaferGuard.Reasoning.Policies;

/// <summary>Collects what is wrong with a policy file, so that one reading names everything.</summary>
internal sealed class PolicyErrors
{
    private const int MaxListed = 50;

    private readonly List<string> _errors = [];

    public bool Any => _errors.Count > 0;

    public void Add(string path, string fault, string mend) => _errors.Add($"{path} {fault}: {mend}.");

    /// <summary>Adds an error where a value was expected and returns none.</summary>
    public T? Add<T>(string path, string fault, string mend)
    {
        Add(path, fault, mend);
        return default;
    }

    public void ThrowIfAny()
    {
        if (!Any) return;
        var listed = _errors.Take(MaxListed).Select(e => $"{Environment.NewLine}- {e}");
        var rest = _errors.Count > MaxListed ? $"{Environment.NewLine}- and {_errors.Count - MaxListed} more." : "";
        throw new InvalidDataException($"The policy file has {_errors.Count} error(s):{string.Concat(listed)}{rest}");
    }
}
