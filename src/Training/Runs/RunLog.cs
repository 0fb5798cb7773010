using System.Text.Json;
using System.Text.Json.Serialization;

namespace SaferGuard.Training.Runs;

/// <summary>The log of a run: one JSON object a line, each with its <c>event</c> and <c>time</c>. A resumed run goes on in the same file.</summary>
internal sealed class RunLog(string path, TimeProvider clock) : IDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    private readonly StreamWriter _file = new(path, append: true) { AutoFlush = true, NewLine = "\n" };

    public void Write<T>(string name, T record)
    {
        var line = JsonSerializer.SerializeToNode(record, Json)!.AsObject();
        line.Insert(0, "event", name);
        line.Insert(1, "time", clock.GetUtcNow().UtcDateTime.ToString("O"));
        _file.WriteLine(line.ToJsonString(Json));
    }

    public void Dispose() => _file.Dispose();
}
