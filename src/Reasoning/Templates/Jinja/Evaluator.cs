namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Works out expressions.</summary>
internal sealed class Evaluator(Budget budget)
{
    /// <summary>The line of the template that was last worked on.</summary>
    public int Line { get; set; }

    public Value Evaluate(Expression expression, Scope scope)
    {
        budget.Enter();
        Line = expression.Line;
        var value = expression switch
        {
            Literal literal => literal.Value,
            Variable variable => scope.Find(variable.Name),
            AttributeOf attribute => Evaluate(attribute.Target, scope).Attribute(attribute.Name),
            ItemOf item => Slices.Item(Evaluate(item.Target, scope), Evaluate(item.Key, scope), budget),
            SliceOf slice => Slices.Slice(
                Evaluate(slice.Target, scope), EvaluateOptional(slice.Start, scope), EvaluateOptional(slice.Stop, scope),
                EvaluateOptional(slice.Step, scope), budget),
            Not not => Value.Of(!Evaluate(not.Operand, scope).IsTrue),
            Logical logical => EvaluateLogical(logical, scope),
            Conditional conditional => EvaluateConditional(conditional, scope),
            Comparison comparison => Value.Of(Holds(comparison, scope)),
            Arithmetic sum => Operators.Apply(sum.Operator, Evaluate(sum.Left, scope), Evaluate(sum.Right, scope), budget),
            Signed signed => EvaluateSigned(signed, scope),
            Filtered filtered => Apply(filtered, filtered.Filter, filtered.Subject, filtered.Arguments, scope),
            Tested tested => Apply(tested, tested.Test, tested.Subject, tested.Arguments, scope),
            Call call => EvaluateCall(call, scope),
            SequenceLiteral list => new Sequence([.. list.Items.Select(i => Evaluate(i, scope))], list.IsTuple),
            MappingLiteral mapping => new Mapping(mapping.Entries.Select(e => KeyValuePair.Create(Evaluate(e.Key, scope), Evaluate(e.Value, scope)))),
            _ => throw new InvalidOperationException($"{expression.GetType().Name} is not evaluated."),
        };
        budget.Leave();
        return value;
    }

    private Value? EvaluateOptional(Expression? expression, Scope scope) => expression is null ? null : Evaluate(expression, scope);

    private Value EvaluateLogical(Logical logical, Scope scope)
    {
        var left = Evaluate(logical.Left, scope);
        return left.IsTrue == logical.IsAnd ? Evaluate(logical.Right, scope) : left;
    }

    private Value EvaluateConditional(Conditional conditional, Scope scope)
    {
        if (Evaluate(conditional.Condition, scope).IsTrue) return Evaluate(conditional.Then, scope);
        return EvaluateOptional(conditional.Otherwise, scope) ?? new Undefined("the condition is false and there is no 'else'");
    }

    private bool Holds(Comparison comparison, Scope scope)
    {
        var left = Evaluate(comparison.First, scope);
        foreach (var (symbol, operand) in comparison.Rest)
        {
            var right = Evaluate(operand, scope);
            if (!Operators.Compare(symbol, left, right, budget)) return false;
            left = right;
        }

        return true;
    }

    private Value EvaluateSigned(Signed signed, Scope scope)
    {
        var negative = Operators.Negate(Evaluate(signed.Operand, scope));
        return signed.IsNegative ? negative : Operators.Negate(negative);
    }

    private Value Apply(Expression node, BuiltIn builtIn, Expression subject, ArgumentList list, Scope scope)
    {
        var value = Evaluate(subject, scope);
        var arguments = EvaluateArguments(list, scope);
        Line = node.Line;
        return builtIn(value, arguments, budget);
    }

    private Value EvaluateCall(Call call, Scope scope)
    {
        var target = Evaluate(call.Target, scope);
        var arguments = EvaluateArguments(call.Arguments, scope);
        Line = call.Line;
        return target switch
        {
            Function function => function.Call(arguments, budget),
            Undefined nothing => throw nothing.Fault(),
            _ => throw new TemplateException($"{target.TypeName} cannot be called"),
        };
    }

    private Arguments EvaluateArguments(ArgumentList list, Scope scope)
    {
        if (list == ArgumentList.Empty) return Arguments.None;
        var named = new Dictionary<string, Value>(StringComparer.Ordinal);
        foreach (var (name, value) in list.Named)
        {
            if (!named.TryAdd(name, Evaluate(value, scope))) throw new TemplateException($"the argument '{name}' is given twice");
        }

        return new Arguments([.. list.Positional.Select(p => Evaluate(p, scope))], named);
    }
}
