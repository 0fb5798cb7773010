namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>A filter or a test: what it makes of a value.</summary>
internal delegate Value BuiltIn(Value subject, Arguments arguments, Budget budget);

/// <summary>What a function, filter or test is called with.</summary>
internal sealed record Arguments(IReadOnlyList<Value> Positional, IReadOnlyDictionary<string, Value> Named)
{
    public static Arguments None { get; } = new([], new Dictionary<string, Value>());

    /// <summary>The argument of each parameter, in order; null where it is not given.</summary>
    /// <exception cref="TemplateException">There are more arguments than parameters, or unknown ones.</exception>
    public Value?[] Bind(params ReadOnlySpan<string> parameters)
    {
        if (Positional.Count > parameters.Length)
            throw new TemplateException($"there are {Positional.Count} arguments, at most {parameters.Length} are taken");
        var bound = new Value?[parameters.Length];
        for (var i = 0; i < Positional.Count; i++) bound[i] = Positional[i];
        foreach (var (name, value) in Named)
        {
            var index = parameters.IndexOf(name);
            if (index < 0) throw new TemplateException($"there is no parameter '{name}'");
            if (bound[index] is not null) throw new TemplateException($"the argument '{name}' is given twice");
            bound[index] = value;
        }

        return bound;
    }

    public static Value Required(Value? argument, string name) => argument ?? throw new TemplateException($"the argument '{name}' is missing");
}
