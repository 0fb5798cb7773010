using SaferGuard.Api.Completions;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Api.Policies;

/// <summary>All policies that are live, and what keeps others from it.</summary>
/// <param name="Object"><c>list</c>.</param>
/// <param name="Default">Id of the policy that applies where neither a request nor its caller names one.</param>
/// <param name="Shadow">Id of the policy that judges beside the live one, or null.</param>
/// <param name="Invalid">Files that are not live as they stand.</param>
internal sealed record PolicyListBody(
    string Object, IReadOnlyList<PolicySummary> Data, string Default, string? Shadow, IReadOnlyList<InvalidPolicyBody> Invalid);

/// <summary>A policy that is live.</summary>
/// <param name="Digest">SHA-256 of the file: names this version for ever.</param>
/// <param name="Source">The file that it comes from; null for the model's own policy.</param>
internal sealed record PolicySummary(
    string Id, string Version, string Digest, OperatingPoint OperatingPoint, int Categories, RuleCounts Rules, int Examples, string? Source)
{
    public static PolicySummary Of(Policy policy, string? source)
    {
        var rules = policy.Categories.SelectMany(category => category.Rules).ToLookup(rule => rule.Enforcement);
        return new(
            policy.Id, policy.Version, policy.Digest, policy.OperatingPoint, policy.Categories.Count,
            new(rules[Enforcement.Enforce].Count(), rules[Enforcement.Monitor].Count(), rules[Enforcement.Off].Count()), policy.Examples.Count, source);
    }
}

/// <summary>Rules by what their verdicts are for.</summary>
internal sealed record RuleCounts(int Enforce, int Monitor, int Off);

/// <summary>A file that is not live as it stands.</summary>
/// <param name="Live">The version that stays live in its place, or null.</param>
internal sealed record InvalidPolicyBody(string File, PolicyBody? Live, IReadOnlyList<FieldError> Errors);

/// <summary>The versions of a policy, the live one first.</summary>
/// <param name="Object"><c>list</c>.</param>
internal sealed record PolicyVersionsBody(string Object, IReadOnlyList<PolicyVersionBody> Data);

/// <param name="Since">Unix time in seconds at which the version last went live; null for the model's own policy.</param>
internal sealed record PolicyVersionBody(string Id, string Version, string Digest, long? Since, bool Live);
