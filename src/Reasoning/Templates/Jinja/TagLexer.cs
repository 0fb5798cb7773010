using System.Globalization;
using System.Text;

namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Cuts the inside of a tag into names, literals and operators.</summary>
internal sealed class TagLexer(string source, List<Token> tokens)
{
    private static readonly string[] TwoCharacterOperators = ["//", "**", "==", "!=", "<=", ">="];

    private readonly Stack<char> _open = new();
    private int _at, _countedTo;
    private int _line = 1;

    /// <summary>Lexes up to the end of the tag and returns where that starts, its sign included.</summary>
    public int Lex(int start, string close)
    {
        _open.Clear();
        var line = LineAt(start);
        for (_at = start; ;)
        {
            while (_at < source.Length && char.IsWhiteSpace(source[_at])) _at++;
            if (_at == source.Length) throw new TemplateException($"the tag has no '{close}'", line);
            if (_open.Count == 0 && IsClose(close)) return _at;
            var c = source[_at];
            if (char.IsAsciiDigit(c)) LexNumber();
            else if (char.IsLetter(c) || c == '_') Add(TokenKind.Name, Length(i => char.IsLetterOrDigit(source[i]) || source[i] == '_'));
            else if (c is '"' or '\'') LexString(c);
            else LexOperator(c);
        }
    }

    /// <summary>1-based; asked for in rising order, so that lines are counted once.</summary>
    public int LineAt(int at)
    {
        for (; _countedTo < at; _countedTo++)
        {
            if (source[_countedTo] == '\n') _line++;
        }

        return _line;
    }

    private bool IsClose(string close) =>
        string.CompareOrdinal(source, _at, close, 0, 2) == 0
        || (source[_at] == '-' || (source[_at] == '+' && close == "%}")) && string.CompareOrdinal(source, _at + 1, close, 0, 2) == 0;

    private void LexNumber()
    {
        var length = Length(i => char.IsAsciiDigit(source[i]));
        var isReal = false;
        if (IsDigit(_at + length + 1) && source[_at + length] == '.')
        {
            isReal = true;
            length += 1;
            while (IsDigit(_at + length)) length++;
        }

        if (_at + length < source.Length && source[_at + length] is 'e' or 'E')
        {
            var digits = length + 1;
            if (_at + digits < source.Length && source[_at + digits] is '+' or '-') digits++;
            if (IsDigit(_at + digits))
            {
                isReal = true;
                length = digits;
                while (IsDigit(_at + length)) length++;
            }
        }

        Add(isReal ? TokenKind.Real : TokenKind.Integer, length);
    }

    private void LexString(char quote)
    {
        var start = _at;
        var value = new StringBuilder();
        for (_at++; ; _at++)
        {
            if (_at >= source.Length) throw Fault(start, "the string has no end");
            if (source[_at] == quote) break;
            if (source[_at] == '\\') LexEscape(value);
            else value.Append(source[_at]);
        }

        _at++;
        tokens.Add(new Token(TokenKind.String, value.ToString(), LineAt(start)));
    }

    /// <summary>From the backslash to the last character of the escape. As in Python, an unknown escape stands for itself.</summary>
    private void LexEscape(StringBuilder value)
    {
        if (++_at >= source.Length) return;
        var c = source[_at];
        var digits = c switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0) value.Append(CodePoint(digits, 16, exactly: true));
        else if (c is >= '0' and <= '7') value.Append(CodePoint(3, 8, exactly: false));
        else if (c == '\n') return;
        else if ("abfnrtv\\'\"".IndexOf(c, StringComparison.Ordinal) is var known and >= 0) value.Append("\a\b\f\n\r\t\v\\'\""[known]);
        else value.Append('\\').Append(c);
    }

    private string CodePoint(int maxDigits, int radix, bool exactly)
    {
        var first = exactly ? _at + 1 : _at;
        var end = first;
        var value = 0L;
        for (; end < source.Length && end - first < maxDigits; end++)
        {
            var digit = char.IsAsciiHexDigit(source[end]) ? Convert.ToInt32(source[end..(end + 1)], 16) : radix;
            if (digit >= radix) break;
            value = value * radix + digit;
        }

        if (exactly && end - first < maxDigits || value > 0x10FFFF) throw Fault(_at, "the escape in the string is not complete");
        _at = end - 1;
        return value is >= 0xD800 and <= 0xDFFF ? ((char)value).ToString() : char.ConvertFromUtf32((int)value);
    }

    private void LexOperator(char c)
    {
        if (c is '(' or '[' or '{') _open.Push(c);
        if (c is ')' or ']' or '}')
        {
            if (!_open.TryPop(out var open) || (open, c) is not (('(', ')') or ('[', ']') or ('{', '}')))
                throw Fault(_at, $"'{c}' does not close what is open");
        }

        var two = _at + 2 <= source.Length ? source.Substring(_at, 2) : "";
        if (TwoCharacterOperators.Contains(two)) Add(TokenKind.Operator, 2);
        else if ("+-*/%~[](){}<>=.:|,".Contains(c, StringComparison.Ordinal)) Add(TokenKind.Operator, 1);
        else throw Fault(_at, string.Create(CultureInfo.InvariantCulture, $"the character '{c}' (U+{(int)c:X4}) has no meaning here"));
    }

    private int Length(Func<int, bool> belongs)
    {
        var end = _at;
        while (end < source.Length && belongs(end)) end++;
        return end - _at;
    }

    private bool IsDigit(int at) => at < source.Length && char.IsAsciiDigit(source[at]);

    private void Add(TokenKind kind, int length)
    {
        tokens.Add(new Token(kind, source.Substring(_at, length), LineAt(_at)));
        _at += length;
    }

    private TemplateException Fault(int at, string reason) => new(reason, LineAt(at));
}
