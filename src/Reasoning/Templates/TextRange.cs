namespace SaferGuard.Reasoning.Templates;

/// <summary>A part of a text, in UTF-16 offsets.</summary>
public readonly record struct TextRange(int Start, int End);
