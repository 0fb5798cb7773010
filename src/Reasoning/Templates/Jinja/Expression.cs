namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>A node of an expression.</summary>
internal abstract record Expression(int Line);

internal sealed record Literal(Value Value, int Line) : Expression(Line);

internal sealed record Variable(string Name, int Line) : Expression(Line);

internal sealed record SequenceLiteral(IReadOnlyList<Expression> Items, bool IsTuple, int Line) : Expression(Line);

internal sealed record MappingLiteral(IReadOnlyList<(Expression Key, Expression Value)> Entries, int Line) : Expression(Line);

/// <summary><c>target.name</c></summary>
internal sealed record AttributeOf(Expression Target, string Name, int Line) : Expression(Line);

/// <summary><c>target[key]</c></summary>
internal sealed record ItemOf(Expression Target, Expression Key, int Line) : Expression(Line);

/// <summary><c>target[start:stop:step]</c></summary>
internal sealed record SliceOf(Expression Target, Expression? Start, Expression? Stop, Expression? Step, int Line) : Expression(Line);

internal sealed record ArgumentList(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named)
{
    public static ArgumentList Empty { get; } = new([], []);
}

internal sealed record Call(Expression Target, ArgumentList Arguments, int Line) : Expression(Line);

/// <summary><c>subject | filter(…)</c></summary>
internal sealed record Filtered(Expression Subject, BuiltIn Filter, ArgumentList Arguments, int Line) : Expression(Line);

/// <summary><c>subject is test(…)</c></summary>
internal sealed record Tested(Expression Subject, BuiltIn Test, ArgumentList Arguments, int Line) : Expression(Line);

/// <summary><c>-x</c> or <c>+x</c></summary>
internal sealed record Signed(Expression Operand, bool IsNegative, int Line) : Expression(Line);

internal sealed record Not(Expression Operand, int Line) : Expression(Line);

/// <summary><c>+ - * / // % ** ~</c></summary>
internal sealed record Arithmetic(string Operator, Expression Left, Expression Right, int Line) : Expression(Line);

/// <summary><c>a and b</c>, or <c>a or b</c>: the operand that decides.</summary>
internal sealed record Logical(bool IsAnd, Expression Left, Expression Right, int Line) : Expression(Line);

/// <summary><c>a &lt; b == c</c>: true when each comparison of neighbours is.</summary>
internal sealed record Comparison(Expression First, IReadOnlyList<(string Operator, Expression Operand)> Rest, int Line) : Expression(Line);

/// <summary><c>then if condition else otherwise</c></summary>
internal sealed record Conditional(Expression Condition, Expression Then, Expression? Otherwise, int Line) : Expression(Line);
