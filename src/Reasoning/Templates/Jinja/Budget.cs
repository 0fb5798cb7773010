namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>
/// What one rendering may use. A template comes with a model and is not trusted: whatever it does is paid for here first, a unit for each node
/// that is evaluated and for each character that is touched, so that time and memory are bounded by one number.
/// </summary>
internal sealed class Budget(long units)
{
    /// <summary>Nesting of statements, expressions and macro calls. A level takes less than 1 KB of stack.</summary>
    public const int MaxDepth = 300;

    /// <summary>Nesting of lists and mappings, so that walking through a value is safe.</summary>
    public const int MaxValueDepth = 64;

    private long _left = units;
    private int _depth;

    /// <summary>Enough for ten passes over a long conversation, spent in well under a second.</summary>
    public static Budget For(long inputCharacters) => new(4_000_000 + 32 * inputCharacters);

    public void Spend(long units)
    {
        if (units < 0 || units > _left) throw new TemplateException("the template takes too many steps or makes too much text");
        _left -= units;
    }

    /// <summary>The worst case of looking for one text in another is the product of their lengths, done many characters at a time.</summary>
    public void SpendSearch(Text text, Text part) => Spend(text.Length + (long)text.Length * part.Length / 64);

    public void Enter()
    {
        Spend(1);
        if (++_depth > MaxDepth) throw new TemplateException($"statements, expressions and calls nest more than {MaxDepth} deep");
    }

    public void Leave() => _depth--;
}
