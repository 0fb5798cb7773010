using System.Globalization;
using System.Text;

namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Expressions with Jinja's precedence: conditional, or, and, not, comparison, + -, ~, * / // %, **, sign, then . [] () | is.</summary>
internal sealed class ExpressionParser(TokenReader tokens)
{
    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];

    public Expression Parse() => tokens.Nested(ParseConditional);

    /// <summary>One expression, or several with commas between, which make a tuple.</summary>
    public Expression ParseTuple(bool takesConditional = true)
    {
        var line = tokens.Line;
        var first = ParseElement();
        if (!tokens.Current.Is(",")) return first;
        List<Expression> items = [first];
        while (tokens.TrySkip(",") && !IsEnd()) items.Add(ParseElement());
        return new SequenceLiteral(items, IsTuple: true, line);

        Expression ParseElement() => takesConditional ? Parse() : tokens.Nested(ParseOr);
    }

    public ArgumentList ParseArguments()
    {
        tokens.Expect("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        while (!tokens.TrySkip(")"))
        {
            if (positional.Count + named.Count > 0)
            {
                tokens.Expect(",");
                if (tokens.TrySkip(")")) break;
            }

            if (tokens.Current.Kind == TokenKind.Name && tokens.Following.Is("="))
            {
                var name = tokens.Take().Value;
                tokens.Take();
                named.Add((name, Parse()));
            }
            else
            {
                if (named.Count > 0) throw tokens.Unexpected("an argument with a name");
                positional.Add(Parse());
            }
        }

        return new ArgumentList(positional, named);
    }

    private Expression ParseConditional()
    {
        var line = tokens.Line;
        var value = ParseOr();
        while (tokens.TrySkipName("if"))
        {
            var condition = ParseOr();
            var otherwise = tokens.TrySkipName("else") ? Parse() : null;
            value = new Conditional(condition, value, otherwise, line);
        }

        return value;
    }

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (tokens.Current is var or && tokens.TrySkipName("or")) left = new Logical(IsAnd: false, left, ParseAnd(), or.Line);
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (tokens.Current is var and && tokens.TrySkipName("and")) left = new Logical(IsAnd: true, left, ParseNot(), and.Line);
        return left;
    }

    private Expression ParseNot()
    {
        var line = tokens.Line;
        return tokens.TrySkipName("not") ? new Not(tokens.Nested(ParseNot), line) : ParseComparison();
    }

    private Expression ParseComparison()
    {
        var line = tokens.Line;
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (TakeComparison() is { } comparison) rest.Add((comparison, ParseSum()));
        return rest.Count == 0 ? first : new Comparison(first, rest, line);
    }

    private string? TakeComparison()
    {
        if (tokens.Current.Kind == TokenKind.Operator && Comparisons.Contains(tokens.Current.Value)) return tokens.Take().Value;
        if (tokens.TrySkipName("in")) return "in";
        if (!tokens.Current.IsName("not") || !tokens.Following.IsName("in")) return null;
        tokens.Take();
        tokens.Take();
        return "not in";
    }

    private Expression ParseSum() => ParseLeftToRight(ParseConcatenation, "+", "-");

    private Expression ParseConcatenation() => ParseLeftToRight(ParseProduct, "~");

    private Expression ParseProduct() => ParseLeftToRight(ParsePower, "*", "/", "//", "%");

    private Expression ParsePower() => ParseLeftToRight(() => ParseSigned(takesFilters: true), "**");

    private Expression ParseLeftToRight(Func<Expression> parseOperand, params string[] operators)
    {
        var left = parseOperand();
        while (tokens.Current.Kind == TokenKind.Operator && operators.Contains(tokens.Current.Value))
        {
            var token = tokens.Take();
            left = new Arithmetic(token.Value, left, parseOperand(), token.Line);
        }

        return left;
    }

    private Expression ParseSigned(bool takesFilters)
    {
        var (line, isNegative) = (tokens.Line, tokens.Current.Is("-"));
        var value = tokens.TrySkip("-") || tokens.TrySkip("+")
            ? new Signed(tokens.Nested(() => ParseSigned(takesFilters: false)), isNegative, line)
            : ParsePostfix(ParsePrimary());
        return takesFilters ? ParseFilters(value) : value;
    }

    private Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            var line = tokens.Line;
            if (tokens.TrySkip(".")) value = new AttributeOf(value, tokens.ExpectName(), line);
            else if (tokens.TrySkip("[")) value = ParseSubscript(value, line);
            else if (tokens.Current.Is("(")) value = new Call(value, ParseArguments(), line);
            else return value;
        }
    }

    private Expression ParseSubscript(Expression target, int line)
    {
        var start = tokens.Current.Is(":") ? null : Parse();
        if (start is not null && tokens.TrySkip("]")) return new ItemOf(target, start, line);
        tokens.Expect(":");
        var stop = tokens.Current.Is(":") || tokens.Current.Is("]") ? null : Parse();
        var step = tokens.TrySkip(":") && !tokens.Current.Is("]") ? Parse() : null;
        tokens.Expect("]");
        return new SliceOf(target, start, stop, step, line);
    }

    /// <summary>A filter from its name on.</summary>
    public Filtered ParseFilter(Expression value, int line)
    {
        var name = tokens.ExpectName();
        var filter = Filters.Find(name) ?? throw new TemplateException($"there is no filter '{name}'", line);
        return new Filtered(value, filter, tokens.Current.Is("(") ? ParseArguments() : ArgumentList.Empty, line);
    }

    /// <summary>The filters, tests and calls that follow a value, if any.</summary>
    public Expression ParseFilters(Expression value)
    {
        while (true)
        {
            var line = tokens.Line;
            if (tokens.TrySkip("|"))
            {
                value = ParseFilter(value, line);
            }
            else if (tokens.TrySkipName("is"))
            {
                value = ParseTest(value, line);
            }
            else if (tokens.Current.Is("("))
            {
                value = new Call(value, ParseArguments(), line);
            }
            else
            {
                return value;
            }
        }
    }

    private Expression ParseTest(Expression value, int line)
    {
        var isNegated = tokens.TrySkipName("not");
        var name = tokens.ExpectName();
        var test = Tests.Find(name) ?? throw new TemplateException($"there is no test '{name}'", line);
        var arguments = tokens.Current.Is("(") ? ParseArguments()
            : IsTestArgument() ? new ArgumentList([ParsePostfix(ParsePrimary())], [])
            : ArgumentList.Empty;
        var tested = new Tested(value, test, arguments, line);
        return isNegated ? new Not(tested, line) : tested;
    }

    private bool IsTestArgument() => tokens.Current switch
    {
        { Kind: TokenKind.String or TokenKind.Integer or TokenKind.Real } => true,
        { Kind: TokenKind.Name, Value: var name } => name is not ("else" or "or" or "and" or "is" or "if" or "not" or "in"),
        { Kind: TokenKind.Operator, Value: var symbol } => symbol is "[" or "{",
        _ => false,
    };

    private Expression ParsePrimary()
    {
        var token = tokens.Take();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return token.Value switch
                {
                    "true" or "True" => new Literal(Value.Of(true), token.Line),
                    "false" or "False" => new Literal(Value.Of(false), token.Line),
                    "none" or "None" => new Literal(None.Value, token.Line),
                    var name => new Variable(name, token.Line),
                };
            case TokenKind.String:
                var text = new StringBuilder(token.Value);
                while (tokens.Current.Kind == TokenKind.String) text.Append(tokens.Take().Value);
                return new Literal(Text.OfTemplate(text.ToString()), token.Line);
            case TokenKind.Integer:
                return long.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                    ? new Literal(Value.Of(number), token.Line)
                    : throw new TemplateException($"the number {token.Value} is too large", token.Line);
            case TokenKind.Real:
                return new Literal(new Real(double.Parse(token.Value, CultureInfo.InvariantCulture)), token.Line);
            case TokenKind.Operator when token.Value == "(":
                return ParseParenthesis(token.Line);
            case TokenKind.Operator when token.Value == "[":
                return new SequenceLiteral(ParseItems("]"), IsTuple: false, token.Line);
            case TokenKind.Operator when token.Value == "{":
                return ParseMapping(token.Line);
            default:
                throw new TemplateException($"a value was expected, not {token}", token.Line);
        }
    }

    private Expression ParseParenthesis(int line)
    {
        if (tokens.TrySkip(")")) return new SequenceLiteral([], IsTuple: true, line);
        var value = ParseTuple();
        tokens.Expect(")");
        return value;
    }

    private List<Expression> ParseItems(string close)
    {
        var items = new List<Expression>();
        while (!tokens.TrySkip(close))
        {
            items.Add(Parse());
            if (!tokens.Current.Is(close)) tokens.Expect(",");
        }

        return items;
    }

    private MappingLiteral ParseMapping(int line)
    {
        var entries = new List<(Expression, Expression)>();
        while (!tokens.TrySkip("}"))
        {
            var key = Parse();
            tokens.Expect(":");
            entries.Add((key, Parse()));
            if (!tokens.Current.Is("}")) tokens.Expect(",");
        }

        return new MappingLiteral(entries, line);
    }

    private bool IsEnd() => tokens.Current.Kind is TokenKind.BlockEnd or TokenKind.OutputEnd or TokenKind.End || tokens.Current.Is(")");
}
