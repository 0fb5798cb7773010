using SaferGuard.Api.Completions;
using SaferGuard.Api.Failures;
using SaferGuard.Reasoning;

namespace SaferGuard.Api.Answers;

/// <summary>What became of an answer.</summary>
/// <param name="Text">All of it that passed; in a stream, all that has left.</param>
/// <param name="Judgment">The judgment that it passed or was withheld by; null if nothing of it was judged.</param>
/// <param name="Withheld">What did not leave, if something did not.</param>
/// <param name="End">Null if the source did not come to its end.</param>
/// <param name="Degradation">Set when it left unjudged, in whole or in part.</param>
/// <param name="Fault">What broke it off.</param>
internal sealed record HeldAnswer(
    string Text, Judgment? Judgment, WithheldBody? Withheld, AnswerEnd? End, Degradation? Degradation = null, Exception? Fault = null);
