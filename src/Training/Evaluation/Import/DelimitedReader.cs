using System.Text;

namespace SaferGuard.Training.Evaluation.Import;

/// <summary>Reads comma- or tab-separated records as RFC 4180 has them: fields in quotes may hold separators, line breaks and doubled quotes.</summary>
internal sealed class DelimitedReader(TextReader text, char separator)
{
    private int _line = 1;

    /// <summary>The fields of each record with the line that it starts on; empty lines are left out.</summary>
    /// <exception cref="FormatException">A quoted field does not end.</exception>
    public IEnumerable<(int Line, IReadOnlyList<string> Fields)> Read()
    {
        while (text.Peek() >= 0)
        {
            var line = _line;
            var fields = ReadRecord();
            if (fields is not [""]) yield return (line, fields);
        }
    }

    private List<string> ReadRecord()
    {
        List<string> fields = [];
        while (true)
        {
            fields.Add(text.Peek() == '"' ? ReadQuoted() : ReadPlain());
            var end = text.Read();
            if (end == separator) continue;
            if (end == '\r' && text.Peek() == '\n') text.Read();
            _line++;
            return fields;
        }
    }

    /// <summary>Up to, not including, a separator or the end of the record.</summary>
    private string ReadPlain()
    {
        var field = new StringBuilder();
        while (text.Peek() is var c && c >= 0 && c != separator && c is not ('\n' or '\r')) field.Append((char)text.Read());
        return field.ToString();
    }

    private string ReadQuoted()
    {
        var (start, field) = (_line, new StringBuilder());
        text.Read();
        while (true)
        {
            var c = text.Read();
            if (c < 0) throw new FormatException($"line {start}: a field in quotes does not end.");
            if (c == '\n') _line++;
            if (c != '"')
            {
                field.Append((char)c);
                continue;
            }

            if (text.Peek() != '"') break;
            field.Append((char)text.Read());
        }

        // Text behind the closing quote is no part of the standard; some writers leave it.
        return field.Append(ReadPlain()).ToString();
    }
}
