using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>
/// A policy as a loaded model reads it; all policies of a model share its engine. A model that reads rule texts is asked this policy. Any other model
/// is always asked the whole policy that it has learnt, and this one says which verdicts are reported and which decide: a verdict is then the same
/// under every policy, and what speaks for a rule that is off is never blamed on another.
/// </summary>
public sealed class CompiledPolicy
{
    private readonly AppliedCategory?[] _applied;

    /// <param name="tokens">Of the policy that the model is asked.</param>
    internal CompiledPolicy(Policy policy, TraceTokens tokens, int maxPromptTokens)
    {
        (Policy, Tokens, MaxPromptTokens) = (policy, tokens, maxPromptTokens);
        _applied = [null, .. tokens.Policy.Categories.Select(Apply)];
        LowestThreshold = policy.Categories.SelectMany(c => c.Rules).Where(r => r.IsChecked).Min(r => r.Threshold) ?? 1;
    }

    public Policy Policy { get; }

    /// <summary>The most tokens that a conversation may have.</summary>
    public int MaxPromptTokens { get; }

    /// <summary>The most tokens that the turns of a conversation may have together: what the policy's own text leaves of <see cref="MaxPromptTokens"/>.</summary>
    public int Room => MaxPromptTokens - Tokens.Template.PolicyTokens;

    /// <summary>Tokens of one turn of a conversation.</summary>
    public int CountTokens(Turn turn) => Tokens.Template.Render(new([turn])).Length - Tokens.Template.PolicyTokens;

    internal TraceTokens Tokens { get; }

    /// <summary>The lowest threshold that a rule has of its own; 1 where none has.</summary>
    internal double LowestThreshold { get; }

    /// <summary>What the policy makes of a category slot of the model; null for one that it does not check.</summary>
    internal AppliedCategory? Applied(int slot) => _applied[slot];

    private AppliedCategory? Apply(Category read)
    {
        var index = Policy.IndexOfCategory(read.Id);
        if (index < 0 || !Policy.Categories[index].IsChecked) return null;
        var rules = Policy.Categories[index].Checked.Select(checkedRule =>
        {
            var position = Enumerable.Range(0, read.Rules.Count).First(i => read.Rules[i].Id == checkedRule.Rule.Id);
            return new AppliedRule(checkedRule.Rule, position, read.Rules[position].Effect);
        });
        return new(read.Id, [.. rules]);
    }
}

/// <summary>A category that a policy checks, with its rules in the policy's order.</summary>
internal sealed record AppliedCategory(string Id, IReadOnlyList<AppliedRule> Rules);

/// <summary>A rule that a policy checks.</summary>
/// <param name="Position">Where the model reads it, in its category.</param>
/// <param name="Learnt">The effect that it has for the model.</param>
internal sealed record AppliedRule(Rule Rule, int Position, RuleEffect Learnt)
{
    /// <summary>
    /// The policy, not the model's path, turns a violation of it into a refusal: the model has learnt another effect, or knows nothing of the threshold.
    /// </summary>
    public bool Binds => Rule is { Decides: true, Effect: RuleEffect.Refuse } && (Rule.Threshold is not null || Learnt != RuleEffect.Refuse);
}
