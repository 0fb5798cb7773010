using SaferGuard.Reasoning.Decoding;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Preference;

/// <summary>Reads and writes preference pairs as JSON lines.</summary>
internal static class PairFile
{
    private const int MaxListedErrors = 32;

    public static void Write(string path, IEnumerable<PreferencePair> pairs)
    {
        var partial = $"{path}.partial";
        using (var writer = new StreamWriter(partial))
        {
            writer.NewLine = "\n";
            foreach (var pair in pairs) writer.WriteLine(JsonLines.Write(pair));
        }

        File.Move(partial, path, overwrite: true);
    }

    /// <param name="isRow">Whether a row id is one of the training data.</param>
    /// <exception cref="InvalidDataException">Lines are not pairs; the message lists what is wrong with each.</exception>
    public static List<PreferencePair> Read(string path, TraceTokens tokens, Func<string, bool> isRow)
    {
        var pairs = new List<PreferencePair>();
        var errors = new List<string>();
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            try
            {
                var pair = JsonLines.Parse<PreferencePair>(line, path, number);
                pairs.Add(pair);
                if (!isRow(pair.Row)) errors.Add($"{path}, line {number}: the data has no row '{pair.Row}'");
                errors.AddRange(pair.Errors(tokens).Select(e => $"{path}, line {number}: {e}"));
            }
            catch (InvalidDataException e)
            {
                errors.Add(e.Message);
            }
        }

        if (errors.Count == 0) return pairs;
        var more = errors.Count > MaxListedErrors ? $"\nand {errors.Count - MaxListedErrors} more" : "";
        throw new InvalidDataException(string.Join('\n', errors.Take(MaxListedErrors)) + more);
    }
}
