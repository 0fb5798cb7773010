namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>
/// Cuts a template into tokens, with Jinja's white-space control as transformers sets it: <c>trim_blocks</c> (a line break after a block goes)
/// and <c>lstrip_blocks</c> (blanks before a block at the start of a line go); <c>-</c> takes all white space, <c>+</c> keeps it.
/// </summary>
internal sealed class Lexer
{
    public const int MaxCharacters = 1 << 18;

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private readonly TagLexer _tag;
    private int _at;

    private Lexer(string source)
    {
        _source = source;
        _tag = new TagLexer(source, _tokens);
    }

    public static List<Token> Lex(string template)
    {
        if (template.Length > MaxCharacters) throw new TemplateException($"the template has more than {MaxCharacters >> 10} K characters");
        var source = template.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new Lexer(source.EndsWith('\n') ? source[..^1] : source);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        while (FindTag() is var tag and >= 0)
        {
            var kind = _source[tag + 1];
            var sign = SignAt(tag + 2);
            AddText(TextBefore(tag, sign, isOutput: kind == '{'));
            _at = tag + (sign == ' ' ? 2 : 3);
            switch (kind)
            {
                case '#':
                    SkipComment(tag);
                    break;
                case '%' when TrySkipRawBegin():
                    AddRaw(tag);
                    break;
                case '%':
                    LexTag(tag, TokenKind.BlockBegin, TokenKind.BlockEnd, "%}");
                    break;
                default:
                    LexTag(tag, TokenKind.OutputBegin, TokenKind.OutputEnd, "}}");
                    break;
            }
        }

        AddText(_source[_at..]);
        Add(TokenKind.End, "", _source.Length);
    }

    private int FindTag()
    {
        for (var at = _at; (at = _source.IndexOf('{', at)) >= 0 && at + 1 < _source.Length; at++)
        {
            if (_source[at + 1] is '{' or '%' or '#') return at;
        }

        return -1;
    }

    private string TextBefore(int tag, char sign, bool isOutput)
    {
        var text = _source[_at..tag];
        if (sign == '-') return text.AsSpan().TrimEnd(Python.WhiteSpace).ToString();
        if (sign == '+' || isOutput) return text;
        var line = text.LastIndexOf('\n') + 1;
        var isLineStart = line > 0 || _at == 0 || _source[_at - 1] == '\n';
        return isLineStart && text.AsSpan(line).Trim(Python.WhiteSpace).IsEmpty ? text[..line] : text;
    }

    private void LexTag(int tag, TokenKind begin, TokenKind end, string close)
    {
        Add(begin, "", tag);
        _at = _tag.Lex(_at, close);
        var sign = _source[_at] == close[0] ? ' ' : _source[_at];
        Add(end, "", _at);
        _at += sign == ' ' ? 2 : 3;
        SkipAfter(sign, trimsLineBreak: end == TokenKind.BlockEnd);
    }

    private void SkipComment(int tag)
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0) throw Fault(tag, "the comment has no end");
        var sign = end > _at ? SignAt(end - 1) : ' ';
        _at = end + 2;
        SkipAfter(sign, trimsLineBreak: true);
    }

    private bool TrySkipRawBegin()
    {
        if (MatchWord(_at, "raw") is not { } word) return false;
        _at = word.End;
        SkipAfter(word.Sign, trimsLineBreak: false);
        return true;
    }

    private void AddRaw(int tag)
    {
        for (var at = _at; (at = _source.IndexOf("{%", at, StringComparison.Ordinal)) >= 0; at++)
        {
            var sign = SignAt(at + 2);
            if (MatchWord(at + (sign == ' ' ? 2 : 3), "endraw") is not { } word) continue;
            AddText(TextBefore(at, sign, isOutput: false));
            _at = word.End;
            SkipAfter(word.Sign, trimsLineBreak: true);
            return;
        }

        throw Fault(tag, "'raw' has no 'endraw'");
    }

    /// <summary>A word alone in a block, from inside its opening: its closing sign and where the block ends.</summary>
    private (char Sign, int End)? MatchWord(int at, string word)
    {
        while (at < _source.Length && char.IsWhiteSpace(_source[at])) at++;
        if (string.CompareOrdinal(_source, at, word, 0, word.Length) != 0) return null;
        at += word.Length;
        while (at < _source.Length && char.IsWhiteSpace(_source[at])) at++;
        var sign = SignAt(at);
        if (sign != ' ') at++;
        return string.CompareOrdinal(_source, at, "%}", 0, 2) == 0 ? (sign, at + 2) : null;
    }

    private void SkipAfter(char sign, bool trimsLineBreak)
    {
        if (sign == '-')
        {
            while (_at < _source.Length && Python.IsWhiteSpace(_source[_at])) _at++;
        }
        else if (sign == ' ' && trimsLineBreak && _at < _source.Length && _source[_at] == '\n')
        {
            _at++;
        }
    }

    private char SignAt(int at) => at < _source.Length && _source[at] is '-' or '+' ? _source[at] : ' ';

    private void AddText(string text)
    {
        if (text.Length > 0) Add(TokenKind.Text, text, _at);
    }

    private void Add(TokenKind kind, string value, int at) => _tokens.Add(new Token(kind, value, _tag.LineAt(at)));

    private TemplateException Fault(int at, string reason) => new(reason, _tag.LineAt(at));
}
