namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Statements of a template. What is not supported is refused here, before the template is used.</summary>
internal sealed class StatementParser
{
    private readonly TokenReader _tokens;
    private readonly ExpressionParser _expressions;
    private int _loops;

    private StatementParser(TokenReader tokens) => (_tokens, _expressions) = (tokens, new ExpressionParser(tokens));

    public static IReadOnlyList<Statement> Parse(string template)
    {
        var tokens = new TokenReader(Lexer.Lex(template));
        return new StatementParser(tokens).ParseUntil();
    }

    /// <summary>Statements up to a block that starts with one of <paramref name="ends"/>, which is left to the caller; or to the end.</summary>
    private List<Statement> ParseUntil(params string[] ends)
    {
        var start = _tokens.Line;
        var statements = new List<Statement>();
        while (_tokens.Current.Kind != TokenKind.End)
        {
            var token = _tokens.Take();
            if (token.Kind == TokenKind.Text)
            {
                statements.Add(new TextOutput(Text.OfTemplate(token.Value), token.Line));
            }
            else if (token.Kind == TokenKind.OutputBegin)
            {
                statements.Add(new ValueOutput(_expressions.ParseTuple(), token.Line));
                _tokens.Expect(TokenKind.OutputEnd);
            }
            else
            {
                if (_tokens.Current.Kind == TokenKind.Name && ends.Contains(_tokens.Current.Value)) return statements;
                statements.AddRange(_tokens.Nested(() => ParseBlock(token.Line)));
            }
        }

        return ends.Length == 0 ? statements : throw new TemplateException($"the block before this has no '{ends[^1]}'", start);
    }

    private List<Statement> ParseBlock(int line)
    {
        switch (_tokens.ExpectName())
        {
            case "if":
                return [ParseIf(line)];
            case "for":
                return [ParseFor(line)];
            case "set":
                return [ParseSet(line)];
            case "filter":
                return [ParseFilterBlock(line)];
            case "macro":
                return [ParseMacro(line)];
            case "break" when _loops > 0:
                EndBlock();
                return [new Break(line)];
            case "continue" when _loops > 0:
                EndBlock();
                return [new Continue(line)];
            case "generation":
                EndBlock();
                return ParseBody("endgeneration"); // marks what the model wrote, for training; it prints like any text
            case var name:
                throw new TemplateException($"the tag '{name}' is not supported here", line);
        }
    }

    private If ParseIf(int line)
    {
        var branches = new List<(Expression?, IReadOnlyList<Statement>)>();
        Expression? condition = _expressions.ParseTuple();
        while (true)
        {
            EndBlock();
            var body = condition is null ? ParseUntil("endif") : ParseUntil("elif", "else", "endif");
            branches.Add((condition, body));
            switch (_tokens.ExpectName())
            {
                case "elif":
                    condition = _expressions.ParseTuple();
                    break;
                case "else":
                    condition = null;
                    break;
                default:
                    EndBlock();
                    return new If(branches, line);
            }
        }
    }

    private For ParseFor(int line)
    {
        var targets = ParseTargets(takesAttributes: false);
        _tokens.ExpectName("in");
        var items = _expressions.ParseTuple(takesConditional: false);
        var condition = _tokens.TrySkipName("if") ? _expressions.Parse() : null;
        EndBlock();
        _loops++;
        var body = ParseUntil("else", "endfor");
        _loops--;
        IReadOnlyList<Statement> otherwise = [];
        if (_tokens.ExpectName() == "else")
        {
            EndBlock();
            otherwise = ParseBody("endfor");
        }
        else
        {
            EndBlock();
        }

        return new For(targets, items, condition, body, otherwise, line);
    }

    private Statement ParseSet(int line)
    {
        var targets = ParseTargets(takesAttributes: true);
        if (_tokens.TrySkip("="))
        {
            var value = _expressions.ParseTuple();
            EndBlock();
            return new Set(targets, value, line);
        }

        var text = _expressions.ParseFilters(new Variable(FilterBlock.Body, line));
        EndBlock();
        return new SetBlock(targets, text, ParseBody("endset"), line);
    }

    private FilterBlock ParseFilterBlock(int line)
    {
        var value = _expressions.ParseFilters(_expressions.ParseFilter(new Variable(FilterBlock.Body, line), line));
        EndBlock();
        return new FilterBlock(value, ParseBody("endfilter"), line);
    }

    private Macro ParseMacro(int line)
    {
        var name = _tokens.ExpectName();
        var parameters = new List<(string, Expression?)>();
        _tokens.Expect("(");
        while (!_tokens.TrySkip(")"))
        {
            if (parameters.Count > 0) _tokens.Expect(",");
            var parameter = _tokens.ExpectName();
            parameters.Add((parameter, _tokens.TrySkip("=") ? _expressions.Parse() : null));
        }

        EndBlock();
        var loops = _loops;
        _loops = 0;
        var body = ParseBody("endmacro");
        _loops = loops;
        return new Macro(name, parameters, body, line);
    }

    private Targets ParseTargets(bool takesAttributes)
    {
        var names = new List<Target>();
        var takesApart = false;
        var isEnclosed = _tokens.TrySkip("(");
        do
        {
            if (names.Count > 0 && _tokens.Current.Kind != TokenKind.Name) break;
            var name = _tokens.ExpectName();
            if (name is "true" or "false" or "none" or "True" or "False" or "None")
                throw new TemplateException($"'{name}' cannot be assigned to", _tokens.Line);
            names.Add(new Target(name, takesAttributes && _tokens.TrySkip(".") ? _tokens.ExpectName() : null));
            takesApart |= _tokens.Current.Is(",");
        }
        while (_tokens.TrySkip(","));
        if (isEnclosed) _tokens.Expect(")");
        return new Targets(names, takesApart);
    }

    private List<Statement> ParseBody(string end)
    {
        var body = ParseUntil(end);
        _tokens.ExpectName(end);
        EndBlock();
        return body;
    }

    private void EndBlock() => _tokens.Expect(TokenKind.BlockEnd);
}
