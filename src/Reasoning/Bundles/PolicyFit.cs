using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Reasoning.Bundles;

/// <summary>Says why a model cannot judge by a policy.</summary>
internal static class PolicyFit
{
    public static IReadOnlyList<PolicyError> Errors(Policy policy, ModelBundle bundle)
    {
        var errors = new PolicyErrors();
        if (!bundle.Calibration.Points.Contains(policy.OperatingPoint))
        {
            errors.Add(
                "operating_point", $"is '{Name(policy.OperatingPoint)}', which the model '{bundle.Manifest.Id}' does not have",
                $"write {string.Join(" or ", bundle.Calibration.Points.Select(Name))}");
        }

        if (!bundle.Manifest.ReadsRuleText) RequireLearnt(policy, bundle, errors);
        return errors.Listed;
    }

    /// <summary>A model that does not read rule texts can check only what it has learnt: other ids, or the same ids with another meaning, mean nothing to it.</summary>
    private static void RequireLearnt(Policy policy, ModelBundle bundle, PolicyErrors errors)
    {
        var model = $"the model '{bundle.Manifest.Id}', which does not read rule texts";
        for (var c = 0; c < policy.Categories.Count; c++)
        {
            var category = policy.Categories[c];
            var learnt = bundle.Policy.IndexOfCategory(category.Id);
            if (learnt < 0)
            {
                errors.Add($"categories[{c}].id", $"'{category.Id}' is unknown to {model}", $"use categories of the policy '{bundle.Policy.Id}', or a model that reads texts");
                continue;
            }

            for (var r = 0; r < category.Rules.Count; r++)
            {
                var path = $"categories[{c}].rules[{r}]";
                if (bundle.Policy.Categories[learnt].Rules.FirstOrDefault(rule => rule.Id == category.Rules[r].Id) is not { } rule)
                    errors.Add($"{path}.id", $"'{category.Rules[r].Id}' is unknown to {model}", $"use rules of the policy '{bundle.Policy.Id}', or a model that reads texts");
                else if (rule.Text != category.Rules[r].Text)
                    errors.Add($"{path}.text", $"is not the rule that was learnt by {model}", $"write \"{rule.Text}\", or use a model that reads texts");
            }
        }
    }

    private static string Name(OperatingPoint point) => point.ToString().ToLowerInvariant();
}
