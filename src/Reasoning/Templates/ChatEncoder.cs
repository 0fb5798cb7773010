using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Templates;

/// <summary>
/// Tokens of a rendered conversation. A special token is recognised only where every character of it was written by the template; for
/// conversations that contain none, the tokens are those of a tokeniser that looks for special tokens everywhere. Added tokens that the tokeniser
/// does not call special are text like any other.
/// </summary>
public sealed class ChatEncoder(GuardTokenizer tokenizer)
{
    /// <summary>By first character; the longest first, since the longest that fits is taken.</summary>
    private readonly Dictionary<char, string[]> _special = tokenizer.SpecialTokens
        .GroupBy(t => t[0])
        .ToDictionary(g => g.Key, g => g.OrderByDescending(t => t.Length).ToArray());

    public int[] Encode(ChatPrompt prompt)
    {
        var ids = new List<int>();
        var done = 0;
        foreach (var part in WrittenByTemplate(prompt))
        {
            for (var at = part.Start; at < part.End;)
            {
                var token = SpecialAt(prompt.Text.AsSpan(at, part.End - at));
                if (token is null)
                {
                    at++;
                    continue;
                }

                AddText(prompt.Text[done..at], ids);
                ids.Add(tokenizer.SpecialId(token));
                done = at += token.Length;
            }
        }

        AddText(prompt.Text[done..], ids);
        return [.. ids];
    }

    private static IEnumerable<TextRange> WrittenByTemplate(ChatPrompt prompt)
    {
        var start = 0;
        foreach (var foreign in prompt.Foreign)
        {
            if (foreign.Start > start) yield return new TextRange(start, foreign.Start);
            start = foreign.End;
        }

        if (start < prompt.Text.Length) yield return new TextRange(start, prompt.Text.Length);
    }

    private string? SpecialAt(ReadOnlySpan<char> text)
    {
        foreach (var token in _special.GetValueOrDefault(text[0]) ?? [])
        {
            if (text.StartsWith(token, StringComparison.Ordinal)) return token;
        }

        return null;
    }

    private void AddText(string text, List<int> ids)
    {
        if (text.Length == 0) return;
        var spans = new List<TokenSpan>();
        tokenizer.Encode(text, spans);
        ids.AddRange(spans.Select(s => s.Id));
    }
}
