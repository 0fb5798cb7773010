namespace SaferGuard.Training.Data;

/// <summary>Reads and writes training rows: JSON lines in snake_case.</summary>
public static class RowFile
{
    public const string Name = "rows.jsonl";

    /// <exception cref="InvalidDataException">A line is not a training row; the message names it.</exception>
    public static IEnumerable<TrainingRow> Read(string path)
    {
        using var stream = File.OpenRead(path);
        foreach (var row in JsonLines.Read<TrainingRow>(stream, path)) yield return row;
    }

    /// <summary>Writes a file that is either whole or not there: to a temporary name first.</summary>
    public static void Write(string path, IEnumerable<TrainingRow> rows)
    {
        var partial = $"{path}.partial";
        using (var writer = new StreamWriter(partial))
        {
            writer.NewLine = "\n";
            foreach (var row in rows) writer.WriteLine(JsonLines.Write(row));
        }

        File.Move(partial, path, overwrite: true);
    }
}
