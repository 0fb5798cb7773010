using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Policies;

/// <summary>A conversation and what the policy is expected to make of it: a unit test that travels with the policy.</summary>
/// <param name="Name">What reports call it.</param>
/// <param name="Violates">Rules that must be found violated; others may be.</param>
public sealed record PolicyExample(string Name, Conversation Conversation, Decision Expect, IReadOnlyList<string> Violates);
