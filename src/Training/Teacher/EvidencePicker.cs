using System.Buffers;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Teacher;

/// <summary>Picks the verbatim words that show why a rule is violated.</summary>
internal sealed class EvidencePicker(Lexicon lexicon)
{
    private const int MaxWords = 12;
    private const int MaxChars = 90;

    /// <summary>What a turn may start with before its first word.</summary>
    private static readonly SearchValues<char> _lead = SearchValues.Create(" \t\r\n\"'“”*#->");

    /// <summary>Where <paramref name="words"/> stand in the conversation, the judged end first; null when they do not.</summary>
    public static Evidence? Locate(Conversation conversation, string? words)
    {
        if (string.IsNullOrWhiteSpace(words)) return null;
        foreach (var turn in TurnsInOrderOfInterest(conversation))
        {
            var content = conversation.Turns[turn].Content;
            var start = content.IndexOf(words, StringComparison.Ordinal);
            if (start < 0) start = content.IndexOf(words, StringComparison.OrdinalIgnoreCase);
            if (start >= 0) return new Evidence(content.Substring(start, words.Length), start, start + words.Length, turn);
        }

        return null;
    }

    /// <summary>The clause around the rule's strongest phrase; without one, the start of the judged turn. Null when there are no words.</summary>
    public Evidence? Pick(Conversation conversation, string rule)
    {
        foreach (var turn in TurnsInOrderOfInterest(conversation))
        {
            var content = conversation.Turns[turn].Content;
            var matches = lexicon.Find(content).Where(m => m.Rule == rule).ToList();
            if (matches.Count == 0) continue;
            var best = matches.MaxBy(m => m.Weight);
            return Clause(content, best.Start, best.End, turn);
        }

        foreach (var turn in TurnsInOrderOfInterest(conversation))
        {
            var content = conversation.Turns[turn].Content;
            var start = content.AsSpan().IndexOfAnyExcept(_lead);
            if (start >= 0) return Clause(content, start, start + 1, turn);
        }

        return null;
    }

    /// <summary>The judged role's turns from the last to the first, then all others.</summary>
    private static IEnumerable<int> TurnsInOrderOfInterest(Conversation conversation)
    {
        var judged = conversation.Subject == Subject.Response ? Role.Assistant : Role.User;
        return Enumerable.Range(0, conversation.Turns.Count).Reverse().OrderBy(i => conversation.Turns[i].Role == judged ? 0 : 1);
    }

    /// <summary>Grows a span to the ends of its clause, within the limits, by whole words.</summary>
    private static Evidence Clause(string text, int start, int end, int turn)
    {
        var words = 1 + text.AsSpan(start, end - start).Count(' ');
        while (end < text.Length && !EndsClause(text, end) && words < MaxWords && end - start < MaxChars)
        {
            if (text[end] == ' ') words++;
            end++;
        }

        while (start > 0 && !EndsClause(text, start - 1) && words < MaxWords && end - start < MaxChars)
        {
            start--;
            if (text[start] == ' ') words++;
        }

        while (start > 0 && start < end && IsInner(text, start)) start++;
        while (end < text.Length && end > start + 1 && IsInner(text, end)) end--;
        while (start < end - 1 && !IsWord(text[start])) start++;
        while (end > start + 1 && !IsWord(text[end - 1])) end--;
        return new Evidence(text[start..end], start, end, turn);
    }

    private static bool EndsClause(string text, int at) => text[at] is '\n' or '\r' or ';' or '!' or '?' or '。' or '！' or '？'
        || (text[at] is '.' or ',' or ':' && (at + 1 == text.Length || char.IsWhiteSpace(text[at + 1])));

    /// <summary>Position <paramref name="at"/> lies inside a word (only where words are divided by spaces) or a surrogate pair.</summary>
    private static bool IsInner(string text, int at) =>
        (text[at - 1] < 0x2E80 && text[at] < 0x2E80 && IsWord(text[at - 1]) && IsWord(text[at]))
        || char.IsLowSurrogate(text[at]);

    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || char.IsSurrogate(c) || c is '\'' or '*' or '@' or '$';
}
