namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Something that can be called: a function, a method of a value, or a macro.</summary>
internal sealed class Function(Func<Arguments, Budget, Value> body) : Value
{
    public override string TypeName => "function";

    public Value Call(Arguments arguments, Budget budget) => body(arguments, budget);
}
