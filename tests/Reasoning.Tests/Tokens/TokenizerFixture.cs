using System.Text.Json;
using System.Text.Json.Nodes;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Tests.Tokens;

/// <summary>A small tokeniser, and variants of its file.</summary>
internal static class TokenizerFixture
{
    private const string Llama3Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string TekkenPattern =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly (string Content, bool Normalized)[] Added =
        [("<think>", false), ("<think>!", false), ("   ", false), ("naïve", true), ("na", true)];

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Tokens", "Fixtures");

    public static GuardTokenizer Tokenizer { get; } = GuardTokenizer.Load(Path.Combine(Folder, "tokenizer.json"));

    public static string Json() => File.ReadAllText(Path.Combine(Folder, "tokenizer.json"));

    public static IReadOnlyList<JsonElement> Encodings() =>
        [.. JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "encodings.json"))).RootElement.EnumerateArray()];

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

    /// <summary>The fixture with the pre-tokeniser, normaliser and added tokens of a column of the encodings.</summary>
    public static GuardTokenizer Variant(string name) => Load(root =>
    {
        root["pre_tokenizer"] = name switch
        {
            "gpt2" => ByteLevel(usesRegex: true),
            "digits" => Sequence(new JsonObject { ["type"] = "Digits", ["individual_digits"] = true }, ByteLevel(usesRegex: true)),
            "llama3" => Sequence(Split(Llama3Pattern), ByteLevel(usesRegex: false)),
            "tekken" => Sequence(Split(TekkenPattern), ByteLevel(usesRegex: false)),
            _ => Sequence(Split(Llama3Pattern.Replace("{1,3}", "", StringComparison.Ordinal)), ByteLevel(usesRegex: false)),
        };
        if (name is "nfc" or "added") root["normalizer"] = new JsonObject { ["type"] = "NFC" };
        if (name != "added") return;
        foreach (var (i, (content, normalized)) in Added.Index())
        {
            root["added_tokens"]!.AsArray().Add(
                new JsonObject { ["id"] = 1300 + i, ["content"] = content, ["normalized"] = normalized, ["special"] = false });
        }
    });

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
