using System.Globalization;
using System.Text;

namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>The functions that transformers gives to templates.</summary>
internal static class Globals
{
    public static void AddTo(Scope scope, TimeProvider time)
    {
        scope["namespace"] = new Function((a, _) => new Namespace(Only(a)));
        scope["dict"] = new Function((a, _) => new Mapping(Only(a).Select(e => KeyValuePair.Create(Value.Of(e.Key), e.Value))));
        scope["range"] = new Function(Range);
        scope["raise_exception"] = new Function((a, b) => throw TemplateException.RaisedBy(
            Python.Str(Arguments.Required(a.Bind("message")[0], "message"), b).Characters));
        scope["strftime_now"] = new Function((a, b) => Text.OfTemplate(
            Format(time.GetLocalNow(), TextOperations.Of(Arguments.Required(a.Bind("format")[0], "format"), "the format").Characters, b)));
    }

    private static IReadOnlyDictionary<string, Value> Only(Arguments arguments) => arguments.Positional.Count == 0
        ? arguments.Named
        : throw new TemplateException("every argument needs a name here");

    private static Sequence Range(Arguments arguments, Budget budget)
    {
        if (arguments is not { Positional.Count: >= 1 and <= 3, Named.Count: 0 }) throw new TemplateException("'range' takes one to three numbers");
        var numbers = arguments.Positional.Select(p =>
            Operators.AsInteger(p) ?? throw new TemplateException($"'range' takes integers, not {p.TypeName}")).ToArray();
        var (start, stop) = numbers.Length == 1 ? (0, numbers[0]) : (numbers[0], numbers[1]);
        var step = numbers.Length == 3 ? numbers[2] : 1;
        if (step == 0) throw new TemplateException("'range' needs a step that is not 0");
        var count = Math.Max(0, Math.Ceiling(((double)stop - start) / step));
        if (count > Slices.MaxItems) throw new TemplateException($"'range' makes more than {Slices.MaxItems} numbers");
        budget.Spend((long)count);
        return new Sequence([.. Enumerable.Range(0, (int)count).Select(i => Value.Of(start + i * step))]);
    }

    /// <summary>C's <c>strftime</c> in the C locale, as far as dates in templates go.</summary>
    private static string Format(DateTimeOffset time, string format, Budget budget)
    {
        budget.Spend(16L * format.Length);
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            var isUnpadded = format[i + 1] == '-' && i + 2 < format.Length;
            var code = format[i += isUnpadded ? 2 : 1];
            var net = code switch
            {
                'd' => isUnpadded ? "%d" : "dd",
                'm' => isUnpadded ? "%M" : "MM",
                'H' => isUnpadded ? "%H" : "HH",
                'I' => isUnpadded ? "%h" : "hh",
                'M' => isUnpadded ? "%m" : "mm",
                'S' => isUnpadded ? "%s" : "ss",
                'Y' => "yyyy",
                'y' => "yy",
                'b' => "MMM",
                'B' => "MMMM",
                'a' => "ddd",
                'A' => "dddd",
                'p' => "tt",
                'F' => "yyyy-MM-dd",
                'T' => "HH:mm:ss",
                '%' => "\\%",
                _ => throw new TemplateException($"the time format '%{code}' is not supported"),
            };
            text.Append(time.ToString(net, CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }
}
