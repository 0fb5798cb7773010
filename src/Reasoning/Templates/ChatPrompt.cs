namespace SaferGuard.Reasoning.Templates;

/// <summary>A conversation as its model wants it written.</summary>
/// <param name="Foreign">Parts of the text that come from the conversation's messages: special tokens are not looked for in them.</param>
public sealed record ChatPrompt(string Text, IReadOnlyList<TextRange> Foreign);
