namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>A value of the template language: Python's, as far as templates can see.</summary>
internal abstract class Value
{
    /// <summary>Python's name of the type, for messages.</summary>
    public abstract string TypeName { get; }

    /// <summary>Python's truth value.</summary>
    public virtual bool IsTrue => true;

    /// <summary>How deep lists and mappings nest in it.</summary>
    public virtual int Depth => 0;

    /// <summary><c>value.name</c>; undefined where there is none.</summary>
    public virtual Value Attribute(string name) => new Undefined($"'{TypeName} object' has no attribute '{name}'");

    /// <summary><c>value[key]</c>; undefined where there is none.</summary>
    public virtual Value Item(Value key) => new Undefined($"'{TypeName} object' has no such element");

    public static Value Of(bool value) => value ? Boolean.True : Boolean.False;

    public static Value Of(long value) => new Integer(value);

    public static Value Of(string value) => Text.OfTemplate(value);
}

/// <summary>What a missing name, attribute or element gives: prints as nothing, is false, and has nothing itself.</summary>
internal sealed class Undefined(string reason) : Value
{
    public override string TypeName => "Undefined";

    public override bool IsTrue => false;

    public override Value Attribute(string name) => throw Fault();

    public override Value Item(Value key) => throw Fault();

    public TemplateException Fault() => new(reason);
}

internal sealed class None : Value
{
    private None()
    {
    }

    public static None Value { get; } = new();

    public override string TypeName => "NoneType";

    public override bool IsTrue => false;
}

internal sealed class Boolean : Value
{
    private Boolean(bool value) => IsTrue = value;

    public static Boolean True { get; } = new(true);

    public static Boolean False { get; } = new(false);

    public override string TypeName => "bool";

    public override bool IsTrue { get; }
}

internal sealed class Integer(long value) : Value
{
    public long Number => value;

    public override string TypeName => "int";

    public override bool IsTrue => value != 0;
}

internal sealed class Real(double value) : Value
{
    public double Number => value;

    public override string TypeName => "float";

    public override bool IsTrue => value != 0;
}
