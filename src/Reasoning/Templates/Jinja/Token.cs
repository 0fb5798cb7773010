namespace SaferGuard.Reasoning.Templates.Jinja;

internal enum TokenKind
{
    /// <summary>Template text outside tags.</summary>
    Text,
    BlockBegin,
    BlockEnd,
    OutputBegin,
    OutputEnd,
    Name,
    String,
    Integer,
    Real,
    Operator,
    End,
}

/// <param name="Value">The characters; of a string, what its escapes mean.</param>
internal readonly record struct Token(TokenKind Kind, string Value, int Line)
{
    public bool Is(string symbol) => Kind == TokenKind.Operator && Value == symbol;

    public bool IsName(string name) => Kind == TokenKind.Name && Value == name;

    public override string ToString() => Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.BlockEnd => "'%}'",
        TokenKind.OutputEnd => "'}}'",
        TokenKind.Text or TokenKind.BlockBegin or TokenKind.OutputBegin => "the end of the tag",
        _ => $"'{Value}'",
    };
}
