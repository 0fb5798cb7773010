using System.Collections.Immutable;

namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>
/// A string that knows which of its characters are foreign: taken from the conversation, not from the template. Every operation keeps that,
/// so that in the end only what the template itself wrote is searched for special tokens.
/// </summary>
internal sealed class Text : Value
{
    internal Text(string characters, ImmutableArray<TextRange> foreign) => (Characters, Foreign) = (characters, foreign);

    public static Text Empty { get; } = new("", []);

    public string Characters { get; }

    /// <summary>In order, not empty, not touching.</summary>
    public ImmutableArray<TextRange> Foreign { get; }

    public int Length => Characters.Length;

    public override string TypeName => "str";

    public override bool IsTrue => Characters.Length > 0;

    public static Text OfTemplate(string characters) => characters.Length == 0 ? Empty : new(characters, []);

    public static Text OfConversation(string characters) =>
        characters.Length == 0 ? Empty : new(characters, [new TextRange(0, characters.Length)]);

    public bool IsForeignAt(int index) => FirstRangeAfter(index) is var i && i < Foreign.Length && Foreign[i].Start <= index;

    public Text Slice(int start, int end)
    {
        if (start >= end) return Empty;
        if (start == 0 && end == Length) return this;
        var foreign = ImmutableArray.CreateBuilder<TextRange>();
        for (var i = FirstRangeAfter(start); i < Foreign.Length && Foreign[i].Start < end; i++)
            foreign.Add(new TextRange(Math.Max(Foreign[i].Start, start) - start, Math.Min(Foreign[i].End, end) - start));
        return new Text(Characters[start..end], foreign.ToImmutable());
    }

    /// <summary>The same text with other characters in the same places.</summary>
    public Text With(string characters)
    {
        if (characters.Length != Length) throw new ArgumentException("The length must not change.", nameof(characters));
        return new Text(characters, Foreign);
    }

    public override Value Attribute(string name) => TextMethods.Find(this, name) ?? base.Attribute(name);

    public override string ToString() => Characters;

    /// <summary>Index of the first foreign range that ends after a position.</summary>
    private int FirstRangeAfter(int position)
    {
        var (low, high) = (0, Foreign.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Foreign[middle].End <= position) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
