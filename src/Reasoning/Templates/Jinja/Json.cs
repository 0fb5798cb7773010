namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>
/// <c>tojson</c> as transformers defines it: <c>json.dumps</c> without ASCII escapes, not Jinja's own, which escapes HTML.
/// </summary>
internal sealed class Json(TextBuilder builder, Budget budget, Json.Style style)
{
    /// <param name="Indent">What a level is indented by; null writes one line.</param>
    public sealed record Style(string ItemSeparator, string KeySeparator, string? Indent, bool SortsKeys, bool EscapesNonAscii);

    public void Write(Value value, int level = 0)
    {
        budget.Spend(1);
        switch (value)
        {
            case Text text:
                WriteString(text);
                break;
            case Sequence { Items: var items }:
                WriteEach('[', items, ']', level, item => Write(item, level + 1));
                break;
            case Mapping { Entries: var entries }:
                var ordered = style.SortsKeys ? Sorting.InOrder(entries, e => e.Key, budget) : entries;
                WriteEach('{', ordered, '}', level, entry =>
                {
                    WriteString(Python.Str(entry.Key, budget));
                    builder.Append(style.KeySeparator);
                    Write(entry.Value, level + 1);
                });
                break;
            default:
                builder.Append(value switch
                {
                    None => "null",
                    Boolean { IsTrue: var truth } => truth ? "true" : "false",
                    Integer { Number: var number } => Python.Number(number),
                    Real { Number: var number } => double.IsFinite(number) ? Python.Number(number) : throw Fault("a number that is not finite"),
                    _ => throw Fault(value.TypeName),
                });
                break;
        }

        static TemplateException Fault(string what) => new($"{what} cannot be written as JSON");
    }

    private void WriteEach<T>(char open, IReadOnlyList<T> items, char close, int level, Action<T> write)
    {
        builder.Append(open.ToString());
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0) builder.Append(style.ItemSeparator);
            BreakLine(level + 1);
            write(items[i]);
        }

        if (items.Count > 0) BreakLine(level);
        builder.Append(close.ToString());
    }

    private void BreakLine(int level)
    {
        if (style.Indent is null) return;
        builder.Append("\n");
        for (var i = 0; i < level; i++) builder.Append(style.Indent);
    }

    private void WriteString(Text text)
    {
        builder.Append("\"");
        builder.AppendEach(text, c => c switch
        {
            '"' => "\\\"",
            '\\' => @"\\",
            '\n' => @"\n",
            '\r' => @"\r",
            '\t' => @"\t",
            '\b' => @"\b",
            '\f' => @"\f",
            < ' ' => $"\\u{(int)c:x4}",
            > '~' when style.EscapesNonAscii && c != '\u007f' => $"\\u{(int)c:x4}",
            _ => null,
        });
        builder.Append("\"");
    }
}
