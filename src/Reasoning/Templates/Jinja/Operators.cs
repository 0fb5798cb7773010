namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>Python's operators.</summary>
internal static class Operators
{
    public static Value Apply(string symbol, Value left, Value right, Budget budget)
    {
        if (symbol == "~") return Concatenate(Python.Str(left, budget), Python.Str(right, budget), budget);
        if (left is Undefined nothing) throw nothing.Fault();
        if (right is Undefined nothingElse) throw nothingElse.Fault();
        try
        {
            return (symbol, left, right) switch
            {
                ("+", Text a, Text b) => Concatenate(a, b, budget),
                ("+", Sequence a, Sequence b) when a.IsTuple == b.IsTuple => Concatenate(a, b, budget),
                ("*", Text text, Integer times) => Repeat(text, times.Number, budget),
                ("*", Integer times, Text text) => Repeat(text, times.Number, budget),
                _ when AsInteger(left) is { } a && AsInteger(right) is { } b => Integers(symbol, a, b),
                _ when AsReal(left) is { } a && AsReal(right) is { } b => Reals(symbol, a, b),
                _ => throw new TemplateException($"'{symbol}' does not work between {left.TypeName} and {right.TypeName}"),
            };
        }
        catch (OverflowException)
        {
            throw new TemplateException($"the result of '{symbol}' is too large");
        }
    }

    public static bool Compare(string symbol, Value left, Value right, Budget budget)
    {
        switch (symbol)
        {
            case "==":
                return AreEqual(left, right, budget);
            case "!=":
                return !AreEqual(left, right, budget);
            case "in":
                return Contains(right, left, budget);
            case "not in":
                return !Contains(right, left, budget);
        }

        var order = Order(left, right, symbol);
        return symbol switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
    }

    public static bool AreEqual(Value left, Value right, Budget budget)
    {
        budget.Spend(1);
        switch (left, right)
        {
            case (Text a, Text b):
                budget.Spend(Math.Min(a.Length, b.Length));
                return a.Characters == b.Characters;
            case (Sequence a, Sequence b):
                return a.IsTuple == b.IsTuple && a.Items.Count == b.Items.Count
                    && a.Items.Zip(b.Items).All(pair => AreEqual(pair.First, pair.Second, budget));
            case (Mapping a, Mapping b):
                return a.Entries.Count == b.Entries.Count
                    && a.Entries.All(e => b.Has(e.Key) && AreEqual(e.Value, b.Item(e.Key), budget));
            case (Undefined, Undefined):
                return true;
            default:
                return AsInteger(left) is { } i && AsInteger(right) is { } j ? i == j
                    : AsReal(left) is { } x && AsReal(right) is { } y ? x.Equals(y)
                    : ReferenceEquals(left, right);
        }
    }

    /// <summary>Negative, zero or positive, as <paramref name="left"/> is less, equal or greater.</summary>
    public static int Order(Value left, Value right, string symbol = "<")
    {
        if (left is Text a && right is Text b) return string.CompareOrdinal(a.Characters, b.Characters);
        if (AsInteger(left) is { } i && AsInteger(right) is { } j) return i.CompareTo(j);
        if (AsReal(left) is { } x && AsReal(right) is { } y) return x.CompareTo(y);
        throw new TemplateException($"'{symbol}' does not work between {left.TypeName} and {right.TypeName}");
    }

    public static bool Contains(Value container, Value item, Budget budget)
    {
        switch (container)
        {
            case Text text:
                if (item is not Text part) throw new TemplateException($"only text can be in text, not {item.TypeName}");
                budget.SpendSearch(text, part);
                return text.Characters.Contains(part.Characters, StringComparison.Ordinal);
            case Sequence { Items: var items }:
                return items.Any(i => AreEqual(i, item, budget));
            case Mapping mapping:
                return mapping.Has(item);
            case Undefined:
                return false;
            default:
                throw new TemplateException($"nothing can be in {container.TypeName}");
        }
    }

    public static Value Negate(Value value) => value switch
    {
        Undefined nothing => throw nothing.Fault(),
        _ when AsInteger(value) is { } number && number != long.MinValue => Value.Of(-number),
        _ when AsReal(value) is { } number => new Real(-number),
        _ => throw new TemplateException($"{value.TypeName} has no negative"),
    };

    /// <summary>Null unless it is an integer; a truth value counts as 0 or 1.</summary>
    public static long? AsInteger(Value value) => value switch { Integer i => i.Number, Boolean b => b.IsTrue ? 1 : 0, _ => null };

    public static double? AsReal(Value value) => value is Real real ? real.Number : AsInteger(value);

    private static Text Concatenate(Text left, Text right, Budget budget)
    {
        if (left.Length == 0) return right;
        if (right.Length == 0) return left;
        var builder = new TextBuilder(budget);
        builder.Append(left);
        builder.Append(right);
        return builder.ToText();
    }

    private static Sequence Concatenate(Sequence left, Sequence right, Budget budget)
    {
        budget.Spend(left.Items.Count + right.Items.Count);
        return new Sequence([.. left.Items, .. right.Items], left.IsTuple);
    }

    private static Text Repeat(Text text, long times, Budget budget)
    {
        if (times <= 0 || text.Length == 0) return Text.Empty;
        budget.Spend(times);
        var builder = new TextBuilder(budget);
        for (var i = 0; i < times; i++) builder.Append(text);
        return builder.ToText();
    }

    private static Value Integers(string symbol, long a, long b) => symbol switch
    {
        "+" => Value.Of(checked(a + b)),
        "-" => Value.Of(checked(a - b)),
        "*" => Value.Of(checked(a * b)),
        "**" when b >= 0 => Value.Of(Power(a, b)),
        "//" when b != 0 => Value.Of(a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0)),
        "%" when b != 0 => Value.Of(a % b is var rest && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest),
        _ => Reals(symbol, a, b),
    };

    private static long Power(long value, long exponent)
    {
        var power = 1L;
        for (var bit = 62 - (exponent == 0 ? 62 : (int)long.LeadingZeroCount(exponent) - 1); bit >= 0; bit--)
        {
            power = checked(power * power);
            if ((exponent >> bit & 1) == 1) power = checked(power * value);
        }

        return power;
    }

    private static Real Reals(string symbol, double a, double b) => symbol switch
    {
        "+" => new Real(a + b),
        "-" => new Real(a - b),
        "*" => new Real(a * b),
        "**" => new Real(Math.Pow(a, b)),
        "/" when b != 0 => new Real(a / b),
        "//" when b != 0 => new Real(Math.Floor(a / b)),
        "%" when b != 0 => new Real(a - b * Math.Floor(a / b)),
        _ => throw new TemplateException("division by zero"),
    };
}
