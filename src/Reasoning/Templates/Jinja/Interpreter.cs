namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Carries out statements.</summary>
internal sealed class Interpreter(Budget budget)
{
    private readonly Evaluator _evaluator = new(budget);

    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    /// <exception cref="TemplateException">The template fails; the message names the line.</exception>
    public Text Run(IReadOnlyList<Statement> template, Scope scope)
    {
        try
        {
            return Capture(template, scope);
        }
        catch (TemplateException e)
        {
            throw e.At(_evaluator.Line);
        }
    }

    private Text Capture(IReadOnlyList<Statement> statements, Scope scope)
    {
        var output = new TextBuilder(budget);
        Execute(statements, scope, output);
        return output.ToText();
    }

    private Value CaptureFiltered(IReadOnlyList<Statement> statements, Expression filters, Scope outer)
    {
        var scope = new Scope(outer);
        scope[FilterBlock.Body] = Capture(statements, scope);
        return _evaluator.Evaluate(filters, scope);
    }

    private Flow Execute(IReadOnlyList<Statement> statements, Scope scope, TextBuilder output)
    {
        budget.Enter();
        var flow = Flow.Next;
        foreach (var statement in statements)
        {
            flow = Execute(statement, scope, output);
            if (flow != Flow.Next) break;
        }

        budget.Leave();
        return flow;
    }

    private Flow Execute(Statement statement, Scope scope, TextBuilder output)
    {
        budget.Spend(1);
        _evaluator.Line = statement.Line;
        switch (statement)
        {
            case TextOutput text:
                output.Append(text.Text);
                return Flow.Next;
            case ValueOutput value:
                output.Append(Python.Str(_evaluator.Evaluate(value.Value, scope), budget));
                return Flow.Next;
            case If choice:
                foreach (var (condition, body) in choice.Branches)
                {
                    if (condition is null || _evaluator.Evaluate(condition, scope).IsTrue) return Execute(body, scope, output);
                }

                return Flow.Next;
            case For loop:
                return Execute(loop, scope, output);
            case Set set:
                Assign(set.Targets, _evaluator.Evaluate(set.Value, scope), scope);
                return Flow.Next;
            case SetBlock set:
                Assign(set.Targets, CaptureFiltered(set.Body, set.Value, scope), scope);
                return Flow.Next;
            case FilterBlock filter:
                output.Append(Python.Str(CaptureFiltered(filter.Statements, filter.Value, scope), budget));
                return Flow.Next;
            case Macro macro:
                scope[macro.Name] = new Function((arguments, _) => Call(macro, arguments, scope));
                return Flow.Next;
            case Break:
                return Flow.Break;
            case Continue:
                return Flow.Continue;
            default:
                throw new InvalidOperationException($"{statement.GetType().Name} is not carried out.");
        }
    }

    private Flow Execute(For loop, Scope outer, TextBuilder output)
    {
        var items = Slices.Items(_evaluator.Evaluate(loop.Items, outer), budget);
        if (loop.Condition is { } condition)
        {
            items = [.. items.Where(item =>
            {
                var scope = new Scope(outer);
                Assign(loop.Targets, item, scope);
                return _evaluator.Evaluate(condition, scope).IsTrue;
            })];
        }

        for (var i = 0; i < items.Count; i++)
        {
            var scope = new Scope(outer);
            Assign(loop.Targets, items[i], scope);
            scope["loop"] = new Loop(items, i);
            if (Execute(loop.Body, scope, output) == Flow.Break) break;
        }

        return items.Count == 0 ? Execute(loop.Otherwise, outer, output) : Flow.Next;
    }

    private void Assign(Targets targets, Value value, Scope scope)
    {
        if (!targets.TakesApart)
        {
            Assign(targets.Names[0], value, scope);
            return;
        }

        var items = Slices.Items(value, budget);
        if (items.Count != targets.Names.Count)
            throw new TemplateException($"{items.Count} values cannot be assigned to {targets.Names.Count} names");
        for (var i = 0; i < items.Count; i++) Assign(targets.Names[i], items[i], scope);
    }

    private static void Assign(Target target, Value value, Scope scope)
    {
        if (target.Attribute is null) scope[target.Name] = value;
        else if (scope.Find(target.Name) is Namespace values) values.Set(target.Attribute, value);
        else throw new TemplateException($"'{target.Name}' is not a namespace: its attributes cannot be set");
    }

    private Text Call(Macro macro, Arguments arguments, Scope definedIn)
    {
        var bound = arguments.Bind([.. macro.Parameters.Select(p => p.Name)]);
        var scope = new Scope(definedIn);
        for (var i = 0; i < bound.Length; i++)
        {
            var (name, otherwise) = macro.Parameters[i];
            scope[name] = bound[i]
                ?? (otherwise is null ? new Undefined($"the parameter '{name}' was not given") : _evaluator.Evaluate(otherwise, scope));
        }

        return Capture(macro.Body, scope);
    }
}
