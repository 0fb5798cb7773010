using System.Globalization;
using System.Text;
using CsCheck;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Reasoning.Tests.Policies;

/// <summary>Policies of the same rules as another one: fewer of them, in another order, with other effects, thresholds and enforcement.</summary>
internal static class PolicyVariants
{
    public static Gen<Policy> Of(Policy policy) =>
        from categories in Gen.Shuffle(policy.Categories.ToArray(), 1, policy.Categories.Count)
        from rules in Gen.Shuffle(Enumerable.Range(0, Policy.MaxRulesPerCategory).ToArray())
        from settings in Setting.Array[categories.Length * 4]
        let variant = new Policy("variant", "1", "sha256:1", [.. categories.Select((c, i) => Vary(c, rules, settings.AsSpan(i * 4, 4)))])
        where variant.Categories.Any(c => c.IsChecked)
        select variant;

    /// <summary>The policy with one rule changed.</summary>
    public static Policy With(Policy policy, string rule, Func<Rule, Rule> change) => new(
        policy.Id, policy.Version, "sha256:1",
        [.. policy.Categories.Select(c => c with { Rules = [.. c.Rules.Select(r => r.Id == rule ? change(r) : r)] })], policy.OperatingPoint);

    /// <summary>The policy as a file.</summary>
    public static byte[] ToYaml(Policy policy, string? id = null)
    {
        var yaml = new StringBuilder();
        yaml.Append(CultureInfo.InvariantCulture, $"id: {id ?? policy.Id}\nversion: \"{policy.Version}\"\ncategories:\n");
        foreach (var category in policy.Categories)
        {
            yaml.Append(CultureInfo.InvariantCulture, $"  - id: {category.Id}\n    name: \"{category.Name}\"\n    objective: \"{category.Objective}\"\n    rules:\n");
            foreach (var rule in category.Rules)
            {
                yaml.Append(CultureInfo.InvariantCulture, $"      - {{ id: {rule.Id}, effect: {Name(rule.Effect)}, enforcement: {Name(rule.Enforcement)}, text: \"{rule.Text}\"");
                yaml.Append(CultureInfo.InvariantCulture, $"{(rule.Threshold is { } t ? FormattableString.Invariant($", threshold: {t}") : "")} }}\n");
            }
        }

        return Encoding.UTF8.GetBytes(yaml.ToString());
    }

    private static Gen<(RuleEffect Effect, Enforcement Enforcement, double? Threshold)> Setting =>
        from effect in Gen.Enum<RuleEffect>()
        from enforcement in Gen.Enum<Enforcement>()
        from own in Gen.Bool
        from threshold in Gen.Double[0.01, 0.99]
        select (effect, enforcement, own ? threshold : (double?)null);

    private static Category Vary(Category category, int[] order, ReadOnlySpan<(RuleEffect Effect, Enforcement Enforcement, double? Threshold)> settings)
    {
        var rules = new List<Rule>();
        foreach (var i in order.Where(i => i < category.Rules.Count))
        {
            var (effect, enforcement, threshold) = settings[i % settings.Length];
            rules.Add(category.Rules[i] with { Effect = effect, Enforcement = enforcement, Threshold = threshold });
        }

        return category with { Rules = rules };
    }

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
