using SaferGuard.Api.Completions;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Policies.Shadow;

/// <summary>What the shadow policy would have decided.</summary>
/// <param name="Object"><c>shadow_report</c>.</param>
/// <param name="Share">Of the judged requests, how many are judged by the shadow policy too.</param>
/// <param name="Dropped">Requests that were to be judged by it, but the service had more urgent work.</param>
/// <param name="Failed">Requests that it could not judge.</param>
/// <param name="Against">By the live version that decided.</param>
internal sealed record ShadowReport(
    string Object, PolicyBody Policy, double Share, long Compared, long Disagreed, long Dropped, long Failed, IReadOnlyList<ShadowComparison> Against);

/// <summary>The shadow policy beside one live version.</summary>
/// <param name="Rules">Rules on which verdicts differed.</param>
/// <param name="Recent">The caller's own latest requests on which decisions differed, newest first.</param>
internal sealed record ShadowComparison(
    PolicyBody Policy, long Compared, long Disagreed, IReadOnlyList<DecisionPairCount> Decisions, IReadOnlyList<RuleDifference> Rules,
    IReadOnlyList<Disagreement> Recent);

/// <summary>How often the live policy decided the one and the shadow policy the other.</summary>
internal sealed record DecisionPairCount(Decision Live, Decision Shadow, long Count);

/// <summary>How often only the one policy found a rule violated.</summary>
internal sealed record RuleDifference(string Rule, long OnlyLive, long OnlyShadow);

/// <summary>A request on which the decisions differed.</summary>
/// <param name="Id">Of the stored judgment of the live policy.</param>
/// <param name="Rules">Rules on which verdicts differed.</param>
internal sealed record Disagreement(string Id, Decision Live, Decision Shadow, IReadOnlyList<string> Rules);
