using System.IO.Compression;
using System.Text.Json;

namespace SaferGuard.Training.Evaluation.Import;

/// <summary>Reads the records of a CSV, TSV, JSON or JSON-lines file, each perhaps compressed with gzip; the name's ending says which.</summary>
internal static class RecordReader
{
    private const string Gzip = ".gz";

    /// <param name="errors">Takes what is wrong with a record; the reader then goes on with the next one, where there is a next one.</param>
    /// <exception cref="InvalidDataException">The file's kind is not known, or it is no such file at all.</exception>
    public static IEnumerable<SourceRecord> Read(string path, RowErrors errors)
    {
        var isCompressed = path.EndsWith(Gzip, StringComparison.OrdinalIgnoreCase);
        var kind = Path.GetExtension(isCompressed ? path[..^Gzip.Length] : path).ToLowerInvariant();
        using var file = File.OpenRead(path);
        using var text = new StreamReader(isCompressed ? new GZipStream(file, CompressionMode.Decompress) : file);
        var records = kind switch
        {
            ".csv" => Delimited(text, ',', errors),
            ".tsv" => Delimited(text, '\t', errors),
            ".jsonl" or ".ndjson" => Lines(text, errors),
            ".json" => Json(text, errors),
            _ => throw new InvalidDataException($"{path}: the name must end with .csv, .tsv, .json or .jsonl, and perhaps .gz. Other files must be converted first."),
        };
        foreach (var record in records) yield return record;
    }

    private static IEnumerable<SourceRecord> Delimited(TextReader text, char separator, RowErrors errors)
    {
        IReadOnlyList<string>? header = null;
        using var rows = new DelimitedReader(text, separator).Read().GetEnumerator();
        while (Next(rows, errors))
        {
            var (line, fields) = rows.Current;
            if (header is null) header = fields;
            else if (fields.Count != header.Count) errors.Add(line, $"has {fields.Count} fields; the header has {header.Count}.");
            else if (Try(line, () => SourceRecord.Of(line, header.Zip(fields, (name, value) => (name, (string?)value))), errors) is { } record) yield return record;
        }
    }

    private static bool Next<T>(IEnumerator<T> rows, RowErrors errors)
    {
        try
        {
            return rows.MoveNext();
        }
        catch (FormatException e)
        {
            errors.Add(e.Message);
            return false;
        }
    }

    private static IEnumerable<SourceRecord> Lines(TextReader text, RowErrors errors)
    {
        for (var number = 1; text.ReadLine() is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            if (Try(number, () => SourceRecord.Of(number, JsonElement.Parse(line)), errors) is { } record) yield return record;
        }
    }

    /// <summary>An array of objects; or objects one a line, as some sets are published under this name.</summary>
    private static IEnumerable<SourceRecord> Json(TextReader text, RowErrors errors)
    {
        var whole = text.ReadToEnd();
        if (!whole.AsSpan().TrimStart().StartsWith("[")) return Lines(new StringReader(whole), errors);
        try
        {
            return Items(JsonElement.Parse(whole), errors);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The file is not JSON: {e.Message}", e);
        }
    }

    private static IEnumerable<SourceRecord> Items(JsonElement array, RowErrors errors)
    {
        var number = 0;
        foreach (var item in array.EnumerateArray())
        {
            number++;
            if (Try(number, () => SourceRecord.Of(number, item), errors) is { } record) yield return record;
        }
    }

    private static SourceRecord? Try(int number, Func<SourceRecord> read, RowErrors errors)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            errors.Add(number, e.Message);
            return null;
        }
    }
}
