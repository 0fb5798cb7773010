using System.Globalization;

namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>How Python writes values, and what it takes for white space.</summary>
internal static class Python
{
    /// <summary>Characters that <c>str.strip()</c> takes away.</summary>
    public const string WhiteSpace =
        "\t\n\v\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
        + "\u2028\u2029\u202f\u205f\u3000";

    public static bool IsWhiteSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001c' and <= '\u001f';

    /// <summary><c>str(value)</c>; undefined gives nothing.</summary>
    public static Text Str(Value value, Budget budget)
    {
        switch (value)
        {
            case Text text:
                return text;
            case Undefined:
                return Text.Empty;
            default:
                var builder = new TextBuilder(budget);
                Write(value, builder, budget);
                return builder.ToText();
        }
    }

    public static string Number(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        return value == Math.Floor(value) && Math.Abs(value) < 1e16
            ? value.ToString("F1", CultureInfo.InvariantCulture)
            : value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
    }

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary><c>repr(value)</c></summary>
    private static void Write(Value value, TextBuilder builder, Budget budget)
    {
        budget.Spend(1);
        switch (value)
        {
            case Text text:
                WriteQuoted(text, builder);
                break;
            case Sequence { Items: var items, IsTuple: var isTuple }:
                builder.Append(isTuple ? "(" : "[");
                for (var i = 0; i < items.Count; i++)
                {
                    if (i > 0) builder.Append(", ");
                    Write(items[i], builder, budget);
                }

                builder.Append(isTuple ? items.Count == 1 ? ",)" : ")" : "]");
                break;
            case Mapping { Entries: var entries }:
                builder.Append("{");
                for (var i = 0; i < entries.Count; i++)
                {
                    if (i > 0) builder.Append(", ");
                    Write(entries[i].Key, builder, budget);
                    builder.Append(": ");
                    Write(entries[i].Value, builder, budget);
                }

                builder.Append("}");
                break;
            default:
                builder.Append(value switch
                {
                    None => "None",
                    Boolean { IsTrue: var truth } => truth ? "True" : "False",
                    Integer { Number: var number } => Number(number),
                    Real { Number: var number } => Number(number),
                    _ => value.TypeName,
                });
                break;
        }
    }

    private static void WriteQuoted(Text text, TextBuilder builder)
    {
        var quote = text.Characters.Contains('\'', StringComparison.Ordinal) && !text.Characters.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        builder.Append(quote.ToString());
        builder.AppendEach(text, c => c switch
        {
            '\\' => @"\\",
            '\n' => @"\n",
            '\r' => @"\r",
            '\t' => @"\t",
            ' ' => null,
            _ when c == quote => $"\\{c}",
            _ when IsPrintable(c) => null,
            <= '\u00ff' => $"\\x{(int)c:x2}",
            _ => $"\\u{(int)c:x4}",
        });
        builder.Append(quote.ToString());
    }

    private static bool IsPrintable(char c) => char.GetUnicodeCategory(c) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
