namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Reads tokens one after the other, and counts how deep the parser has gone.</summary>
internal sealed class TokenReader(IReadOnlyList<Token> tokens)
{
    /// <summary>Nesting of brackets, operators before a value and blocks. A level takes a dozen frames of the parser.</summary>
    private const int MaxDepth = 100;

    private int _next;
    private int _depth;

    public Token Current => tokens[_next];

    public Token Following => tokens[Math.Min(_next + 1, tokens.Count - 1)];

    public int Line => Current.Line;

    public Token Take()
    {
        var token = Current;
        if (token.Kind != TokenKind.End) _next++;
        return token;
    }

    public bool TrySkip(string symbol)
    {
        if (!Current.Is(symbol)) return false;
        Take();
        return true;
    }

    public bool TrySkipName(string name)
    {
        if (!Current.IsName(name)) return false;
        Take();
        return true;
    }

    public void Expect(string symbol)
    {
        if (!TrySkip(symbol)) throw Unexpected($"'{symbol}'");
    }

    public void ExpectName(string name)
    {
        if (!TrySkipName(name)) throw Unexpected($"'{name}'");
    }

    public void Expect(TokenKind kind)
    {
        if (Current.Kind != kind) throw Unexpected(new Token(kind, "", Line).ToString());
        Take();
    }

    public string ExpectName() => Current.Kind == TokenKind.Name ? Take().Value : throw Unexpected("a name");

    public TemplateException Unexpected(string expected) => new($"{expected} was expected, not {Current}", Line);

    public TReturn Nested<TReturn>(Func<TReturn> parse)
    {
        if (++_depth > MaxDepth) throw new TemplateException($"the template nests more than {MaxDepth} deep", Line);
        var result = parse();
        _depth--;
        return result;
    }
}
