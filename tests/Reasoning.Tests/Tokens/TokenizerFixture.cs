using System.Text.Json.Nodes;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Tests.Tokens;

/// <summary>A small tokeniser, and parts of such files.</summary>
internal static class TokenizerFixture
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Tokens", "Fixtures");

    public static GuardTokenizer Tokenizer { get; } = GuardTokenizer.Load(Path.Combine(Folder, "tokenizer.json"));

    public static string Json() => File.ReadAllText(Path.Combine(Folder, "tokenizer.json"));

    public static GuardTokenizer Load(Action<JsonNode> change)
    {
        var root = JsonNode.Parse(Json())!;
        change(root);
        return Load(root.ToJsonString());
    }

    public static GuardTokenizer Load(string json)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, json);
            return GuardTokenizer.Load(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public static JsonObject ByteLevel(bool usesRegex) => new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = usesRegex };

    public static JsonObject Split(string pattern) => new()
    {
        ["type"] = "Split",
        ["pattern"] = new JsonObject { ["Regex"] = pattern },
        ["behavior"] = "Isolated",
        ["invert"] = false,
    };

    public static JsonObject Sequence(params JsonNode[] steps) => new() { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(steps) };

    public static int[] Ids(this GuardTokenizer tokenizer, string text) => [.. tokenizer.Spans(text).Select(s => s.Id)];

    public static List<TokenSpan> Spans(this GuardTokenizer tokenizer, string text)
    {
        var spans = new List<TokenSpan>();
        tokenizer.Encode(text, spans);
        return spans;
    }
}
