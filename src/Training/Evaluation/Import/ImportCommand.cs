using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace SaferGuard.Training.Evaluation.Import;

/// <summary>The <c>import</c> verb: turns your own copy of a published safety set into JSON lines for <c>evaluate</c>.</summary>
public static class ImportCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <param name="console">Where the outcome and errors go; the terminal by default.</param>
    public static Command Create(IAnsiConsole? console = null)
    {
        var format = new Option<string>("--format")
        {
            Description = $"What the file is. {string.Join("; ", SetFormat.All.Select(f => $"{f.Name} ({f.Description})"))}.",
            Required = true,
        };
        format.AcceptOnlyFromAmong([.. SetFormat.All.Select(f => f.Name)]);
        var input = new Option<string>("--in") { Description = "The file as it was published: .csv, .tsv, .json or .jsonl, perhaps .gz.", Required = true };
        var output = new Option<string>("--out") { Description = "JSON-lines file to write.", Required = true };
        var source = new Option<string?>("--source") { Description = "Name of the set in reports; by default that of the format." };
        var skip = new Option<bool>("--skip-bad") { Description = "Leave out rows that cannot be read, instead of writing nothing." };
        var command = new Command("import", "Turn your own copy of a published safety set into rows for evaluate.") { format, input, output, source, skip };
        command.SetAction(parsed => Run(
            SetFormat.All.Single(f => f.Name == parsed.GetRequiredValue(format)), parsed.GetRequiredValue(input), parsed.GetRequiredValue(output),
            parsed.GetValue(source), parsed.GetValue(skip), console ?? AnsiConsole.Console));
        return command;
    }

    private static int Run(SetFormat format, string input, string output, string? source, bool skip, IAnsiConsole console)
    {
        try
        {
            var errors = new RowErrors(input);
            var (rows, unlabelled) = Read(format, input, source ?? format.Name, errors);
            if (errors.Count > 0)
            {
                console.MarkupLineInterpolated($"[red]error:[/] {errors.ToString()}");
                if (!skip) return 1;
            }

            if (rows.Count == 0) throw new InvalidDataException($"{input} has no rows.");
            Write(output, rows);
            console.MarkupLineInterpolated($"Wrote {rows.Count} rows to {output}; left out: {errors.Count} bad ones, {unlabelled} without a label.");
            return 0;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            console.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
            return 1;
        }
    }

    private static (List<ImportedRow> Rows, int Unlabelled) Read(SetFormat format, string input, string source, RowErrors errors)
    {
        List<ImportedRow> rows = [];
        var unlabelled = 0;
        foreach (var record in RecordReader.Read(input, errors))
        {
            try
            {
                ImportedRow[] made = [.. format.Rows(record)];
                if (made.Length == 0) unlabelled++;
                rows.AddRange(made.Select(row => row with { Source = source, Id = IdOf(row, record, source) }));
            }
            catch (FormatException e)
            {
                errors.Add(record.Number, e.Message);
            }
        }

        return (rows, unlabelled);
    }

    /// <summary>Names the row, so that it can be found again; languages of the same record are told apart.</summary>
    private static string IdOf(ImportedRow row, SourceRecord record, string source) =>
        $"{source}:{row.Id ?? $"{record.Number}"}{(row.Lang is null ? "" : $":{row.Lang}")}";

    /// <summary>To a temporary name first, so that the file is either whole or not there.</summary>
    private static void Write(string path, IEnumerable<ImportedRow> rows)
    {
        var partial = $"{path}.partial";
        File.WriteAllLines(partial, rows.Select(row => JsonSerializer.Serialize(row, Json)));
        File.Move(partial, path, overwrite: true);
    }
}
