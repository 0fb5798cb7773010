using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Evaluation;

/// <summary>
/// Keeps each prediction of one judge as it is made, one JSON object a line, so that a run that was stopped goes on where it was. Several judges
/// share a file. A line that was cut off by a crash is a row that was not judged.
/// </summary>
internal sealed class PredictionJournal : IDisposable
{
    private readonly string _judge;
    private readonly ConcurrentDictionary<string, Entry> _entries = [];
    private readonly StreamWriter _file;

    private PredictionJournal(string path, string judge)
    {
        _judge = judge;
        var cutOff = Load(path);
        _file = new StreamWriter(path, append: true) { AutoFlush = true, NewLine = "\n" };
        if (cutOff) _file.WriteLine();
    }

    /// <param name="judge">All that decides: predictions of others are left alone.</param>
    public static PredictionJournal Open(string path, string judge) => new(path, judge);

    /// <param name="prediction">Null for a row that is too long to be judged.</param>
    /// <returns>False if the row's conversation has not been judged.</returns>
    public bool TryGet(LabelledRow row, out Prediction? prediction)
    {
        var known = _entries.TryGetValue(KeyOf(row), out var entry);
        prediction = entry?.Refuse is not { } refuse ? null : new Prediction(
            row, refuse, entry.Refused, entry.Categories, new TraceCost(entry.TraceTokens, entry.ForwardPasses, TimeSpan.FromMilliseconds(entry.LatencyMs)));
        return known;
    }

    /// <summary>Safe for concurrent callers.</summary>
    public void Add(LabelledRow row, Prediction? prediction)
    {
        var cost = prediction?.Cost ?? default;
        var entry = new Entry(
            _judge, KeyOf(row), row.Id, prediction?.Score, prediction?.Refused ?? false, prediction?.Categories, cost.TraceTokens, cost.Passes,
            cost.Latency.TotalMilliseconds);
        _entries[entry.Conversation] = entry;
        var line = JsonLines.Write(entry);
        lock (_file) _file.WriteLine(line);
    }

    public void Dispose() => _file.Dispose();

    /// <returns>Whether the last line has no end.</returns>
    private bool Load(string path)
    {
        if (!File.Exists(path)) return false;
        foreach (var line in File.ReadLines(path))
        {
            if (Parse(line) is { } entry && entry.Judge == _judge) _entries[entry.Conversation] = entry;
        }

        using var file = File.OpenRead(path);
        if (file.Length == 0) return false;
        file.Seek(-1, SeekOrigin.End);
        return file.ReadByte() != '\n';
    }

    private static Entry? Parse(string line)
    {
        try
        {
            return JsonLines.Parse<Entry>(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string KeyOf(LabelledRow row) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(row.Conversation)).AsSpan(0, 16));

    /// <param name="Conversation">Hash of the judged conversation.</param>
    /// <param name="Id">Of the first row that has it, for readers.</param>
    /// <param name="Refuse">The score; null if the conversation is too long.</param>
    private sealed record Entry(
        string Judge, string Conversation, string Id, double? Refuse, bool Refused, IReadOnlyList<string>? Categories, int TraceTokens, int ForwardPasses,
        double LatencyMs);
}
