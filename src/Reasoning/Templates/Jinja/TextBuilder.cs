using System.Collections.Immutable;
using System.Text;

namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Puts a <see cref="Text"/> together and pays for its characters.</summary>
internal sealed class TextBuilder(Budget budget)
{
    private readonly StringBuilder _characters = new();
    private readonly ImmutableArray<TextRange>.Builder _foreign = ImmutableArray.CreateBuilder<TextRange>();

    public void Append(string characters, bool foreign = false)
    {
        budget.Spend(characters.Length);
        if (foreign) AddForeign(_characters.Length, _characters.Length + characters.Length);
        _characters.Append(characters);
    }

    public void Append(Text text)
    {
        budget.Spend(text.Length);
        foreach (var range in text.Foreign) AddForeign(_characters.Length + range.Start, _characters.Length + range.End);
        _characters.Append(text.Characters);
    }

    public void Append(Text text, int start, int end) => Append(text.Slice(start, end));

    /// <summary>Appends a text whose characters become other ones, each by itself: they stay foreign or not.</summary>
    public void AppendEach(Text text, Func<char, string?> replacement)
    {
        var done = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (replacement(text.Characters[i]) is not { } other) continue;
            Append(text, done, i);
            Append(other, text.IsForeignAt(i));
            done = i + 1;
        }

        Append(text, done, text.Length);
    }

    public Text ToText() => _characters.Length == 0 ? Text.Empty : new(_characters.ToString(), _foreign.ToImmutable());

    private void AddForeign(int start, int end)
    {
        if (start == end) return;
        if (_foreign.Count > 0 && _foreign[^1].End == start) _foreign[^1] = new TextRange(_foreign[^1].Start, end);
        else _foreign.Add(new TextRange(start, end));
    }
}
