using System.Collections.Frozen;

namespace SaferGuard.Reasoning.Policies;

/// <summary>What a violated rule asks for: a refusal, or an answer given with care.</summary>
public enum RuleEffect
{
    Refuse,
    Care,
}

/// <summary>One numbered safety rule, for example <c>S5.2</c>.</summary>
public sealed record Rule(string Id, string Text, RuleEffect Effect);

/// <summary>A risk category with its rules, for example <c>S5</c> (cyber abuse).</summary>
public sealed record Category(string Id, string Name, string Objective, IReadOnlyList<Rule> Rules);

/// <summary>An immutable set of categories and rules. Made by <see cref="PolicyReader"/>, so that it cannot be wrong.</summary>
public sealed class Policy
{
    /// <summary>The id that stands for "no category applies". Then no rule is checked.</summary>
    public const string NoCategory = "S0";

    /// <summary>The most categories a policy may have: one slot token each (see <c>TraceFormat</c>).</summary>
    public const int MaxCategories = 31;

    /// <summary>The most rules a category may have: one slot token each.</summary>
    public const int MaxRulesPerCategory = 16;

    private readonly FrozenDictionary<string, int> _categoryIndexes;
    private readonly FrozenDictionary<string, Rule> _rules;

    internal Policy(string id, string version, string digest, IReadOnlyList<Category> categories, OperatingPoint point = OperatingPoint.Balanced)
    {
        Id = id;
        Version = version;
        Digest = digest;
        Categories = categories;
        OperatingPoint = point;
        _categoryIndexes = categories.Select((c, i) => (c.Id, i)).ToFrozenDictionary(p => p.Id, p => p.i);
        _rules = categories.SelectMany(c => c.Rules).ToFrozenDictionary(r => r.Id);
    }

    public string Id { get; }

    public string Version { get; }

    /// <summary><c>sha256:</c> and the hexadecimal hash of the policy file's bytes.</summary>
    public string Digest { get; }

    public IReadOnlyList<Category> Categories { get; }

    /// <summary>Decides where a request names none.</summary>
    public OperatingPoint OperatingPoint { get; }

    public bool TryGetRule(string id, out Rule rule) => _rules.TryGetValue(id, out rule!);

    /// <summary>Position of a category in <see cref="Categories"/>, or -1.</summary>
    public int IndexOfCategory(string id) => _categoryIndexes.GetValueOrDefault(id, -1);
}
