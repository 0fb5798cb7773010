using System.Text.RegularExpressions;

namespace SaferGuard.Reasoning.Traces;

/// <summary>
/// Free text (sentences, evidence) inside the text form of a trace. Evidence quotes users, who may write what looks like a special token:
/// "&lt;|" is written "&lt;\|", and a text that has n backslashes there gets one more.
/// </summary>
internal static partial class TraceText
{
    /// <summary>Not empty, no white space at either end.</summary>
    public static bool IsTrimmed(string text) => text.Length > 0 && !char.IsWhiteSpace(text[0]) && !char.IsWhiteSpace(text[^1]);

    public static string Escape(string text) => Bar().Replace(text, @"<$1\|");

    public static string Unescape(string text) => EscapedBar().Replace(text, "<$1|");

    [GeneratedRegex(@"<(\\*)\|")]
    private static partial Regex Bar();

    [GeneratedRegex(@"<\\(\\*)\|")]
    private static partial Regex EscapedBar();
}
