namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>A node of a template.</summary>
internal abstract record Statement(int Line);

/// <summary>Text of the template itself.</summary>
internal sealed record TextOutput(Text Text, int Line) : Statement(Line);

/// <summary><c>{{ value }}</c></summary>
internal sealed record ValueOutput(Expression Value, int Line) : Statement(Line);

/// <param name="Branches">The first whose condition holds is taken; <c>else</c> has none.</param>
internal sealed record If(IReadOnlyList<(Expression? Condition, IReadOnlyList<Statement> Body)> Branches, int Line) : Statement(Line);

/// <param name="Condition">Elements for which it is false are left out.</param>
/// <param name="Otherwise">Runs when there is no element.</param>
internal sealed record For(
    Targets Targets, Expression Items, Expression? Condition, IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Otherwise, int Line)
    : Statement(Line);

/// <summary><c>{% set a = value %}</c>, also of several names, or of an attribute of a namespace.</summary>
internal sealed record Set(Targets Targets, Expression Value, int Line) : Statement(Line);

/// <summary><c>{% set a | filter %}…{% endset %}</c></summary>
/// <param name="Value">What is made of the body's text, which is the variable <see cref="FilterBlock.Body"/>.</param>
internal sealed record SetBlock(Targets Targets, Expression Value, IReadOnlyList<Statement> Body, int Line) : Statement(Line);

/// <summary><c>{% filter name %}…{% endfilter %}</c></summary>
/// <param name="Value">What is made of the body's text, which is the variable <see cref="FilterBlock.Body"/>.</param>
internal sealed record FilterBlock(Expression Value, IReadOnlyList<Statement> Statements, int Line) : Statement(Line)
{
    /// <summary>No name that a template could write.</summary>
    public const string Body = "";
}

internal sealed record Macro(
    string Name, IReadOnlyList<(string Name, Expression? Default)> Parameters, IReadOnlyList<Statement> Body, int Line) : Statement(Line);

internal sealed record Break(int Line) : Statement(Line);

internal sealed record Continue(int Line) : Statement(Line);

/// <summary>What is assigned to: one target, or several that take a sequence apart.</summary>
internal sealed record Targets(IReadOnlyList<Target> Names, bool TakesApart);

/// <param name="Attribute">Null unless the name is a namespace of which this is set.</param>
internal readonly record struct Target(string Name, string? Attribute);
