namespace SaferGuard.Reasoning.Policies;

/// <summary>One thing that is wrong with a policy.</summary>
/// <param name="Path">Where: <c>categories[3].rules[1].effect</c>, a line, or <c>file</c>.</param>
/// <param name="Mend">What to do about it.</param>
public sealed record PolicyError(string Path, string Fault, string Mend)
{
    public override string ToString() => $"{Path} {Fault}: {Mend}.";
}

/// <summary>Collects what is wrong with a policy file, so that one reading names everything.</summary>
internal sealed class PolicyErrors
{
    private const int MaxListed = 50;

    private readonly List<PolicyError> _errors = [];
    private int _count;

    public bool Any => _count > 0;

    /// <summary>The first errors, and one that counts the rest.</summary>
    public IReadOnlyList<PolicyError> Listed =>
        _count > MaxListed ? [.. _errors, new PolicyError("file", $"has {_count - MaxListed} more errors", "mend these first")] : _errors;

    public void Add(string path, string fault, string mend)
    {
        if (_count++ < MaxListed) _errors.Add(new(path, fault, mend));
    }

    /// <summary>Adds an error where a value was expected and returns none.</summary>
    public T? Add<T>(string path, string fault, string mend)
    {
        Add(path, fault, mend);
        return default;
    }
}
