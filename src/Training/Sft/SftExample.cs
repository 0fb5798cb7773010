namespace SaferGuard.Training.Sft;

/// <summary>What a position of an example is asked.</summary>
internal enum Question
{
    Assess,
    Categories,
    Risk,
    Verdict,
    Path,
    Text,
}

/// <summary>The token that should follow from the logits at a position. Weights of one question sum to 1 in an example.</summary>
internal readonly record struct Target(int Position, int Token, Question Question, float Weight);

/// <summary>One trace of one row: inputs and targets are apart, because what is read at a query token is not the next input.</summary>
internal sealed record SftExample(int[] Tokens, int PromptLength, IReadOnlyList<Target> Targets, bool Refuses, float Weight);
