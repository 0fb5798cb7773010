using System.Collections.Frozen;

namespace SaferGuard.Reasoning.Policies;

/// <summary>What a violated rule asks for: a refusal, or an answer given with care.</summary>
public enum RuleEffect
{
    Refuse,
    Care,
}

/// <summary>What the verdict on a rule is for.</summary>
public enum Enforcement
{
    /// <summary>It decides.</summary>
    Enforce,

    /// <summary>It is recorded, and the decision is made as if the rule were off.</summary>
    Monitor,

    /// <summary>The rule is not checked.</summary>
    Off,
}

/// <summary>One numbered safety rule, for example <c>S5.2</c>.</summary>
/// <param name="Threshold">The rule is violated from this calibrated probability on; null for the threshold of the operating point.</param>
public sealed record Rule(string Id, string Text, RuleEffect Effect, Enforcement Enforcement = Enforcement.Enforce, double? Threshold = null)
{
    public bool IsChecked => Enforcement != Enforcement.Off;

    public bool Decides => Enforcement == Enforcement.Enforce;
}

/// <summary>A risk category with its rules, for example <c>S5</c> (cyber abuse).</summary>
public sealed record Category(string Id, string Name, string Objective, IReadOnlyList<Rule> Rules)
{
    /// <summary>The rules that a trace checks, with their slots: 1 + their position among all rules, so that switching one off moves no other.</summary>
    internal IEnumerable<(int Slot, Rule Rule)> Checked => Rules.Select((rule, i) => (i + 1, rule)).Where(r => r.rule.IsChecked);

    /// <summary>False when every rule is off: then no trace names the category.</summary>
    internal bool IsChecked => Rules.Any(r => r.IsChecked);
}

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

    internal Policy(
        string id, string version, string digest, IReadOnlyList<Category> categories, OperatingPoint point = OperatingPoint.Balanced,
        IReadOnlyList<PolicyExample>? examples = null, ReadOnlyMemory<byte> file = default)
    {
        Id = id;
        Version = version;
        Digest = digest;
        Categories = categories;
        OperatingPoint = point;
        Examples = examples ?? [];
        File = file;
        _categoryIndexes = categories.Select((c, i) => (c.Id, i)).ToFrozenDictionary(p => p.Id, p => p.i);
        _rules = categories.SelectMany(c => c.Rules).ToFrozenDictionary(r => r.Id);
    }

    public string Id { get; }

    public string Version { get; }

    /// <summary><c>sha256:</c> and the hexadecimal hash of the policy file's bytes.</summary>
    public string Digest { get; }

    /// <summary>The file as it was read.</summary>
    public ReadOnlyMemory<byte> File { get; }

    public IReadOnlyList<Category> Categories { get; }

    /// <summary>Decides where a request names none.</summary>
    public OperatingPoint OperatingPoint { get; }

    /// <summary>What the policy's authors expect of it; <c>rules test</c> runs them.</summary>
    public IReadOnlyList<PolicyExample> Examples { get; }

    public bool TryGetRule(string id, out Rule rule) => _rules.TryGetValue(id, out rule!);

    /// <summary>Position of a category in <see cref="Categories"/>, or -1.</summary>
    public int IndexOfCategory(string id) => _categoryIndexes.GetValueOrDefault(id, -1);
}
