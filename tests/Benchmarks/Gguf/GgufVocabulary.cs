using System.Text.Json.Nodes;
using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Benchmarks.Gguf;

/// <summary>The byte-level BPE tokeniser of a checkpoint, for llama.cpp.</summary>
internal static class GgufVocabulary
{
    private const int Normal = 1, Control = 3, UserDefined = 4, Unused = 5;

    public static void Add(GgufFile file, string checkpoint, JsonNode config)
    {
        var size = config["vocab_size"]!.GetValue<int>();
        var tokens = Enumerable.Range(0, size).Select(i => $"[unused {i}]").ToArray();
        var types = Enumerable.Repeat(Unused, size).ToArray();

        var tokenizer = JsonNode.Parse(File.ReadAllBytes(Path.Combine(checkpoint, Checkpoint.TokenizerFile)))!;
        foreach (var (token, id) in tokenizer["model"]!["vocab"]!.AsObject()) Set(id!.GetValue<int>(), token, Normal);
        foreach (var added in tokenizer["added_tokens"]?.AsArray() ?? [])
            Set(added!["id"]!.GetValue<int>(), added["content"]!.GetValue<string>(), added["special"]!.GetValue<bool>() ? Control : UserDefined);

        file.Add("tokenizer.ggml.model", "gpt2");
        file.Add("tokenizer.ggml.pre", SplitterOf(tokenizer["pre_tokenizer"]));
        file.Add("tokenizer.ggml.tokens", tokens);
        file.Add("tokenizer.ggml.token_type", types);
        file.Add("tokenizer.ggml.merges", [.. tokenizer["model"]!["merges"]!.AsArray().Select(Merge)]);
        file.Add("tokenizer.ggml.add_bos_token", false);
        var end = FirstId(config["eos_token_id"]) ?? Math.Max(0, Array.IndexOf(tokens, Reasoning.Traces.TraceFormat.End));
        file.Add("tokenizer.ggml.eos_token_id", end);
        file.Add("tokenizer.ggml.bos_token_id", FirstId(config["bos_token_id"]) ?? end);

        void Set(int id, string token, int type) => (tokens[id], types[id]) = (token, type);
    }

    /// <summary>A merge is "left right" or ["left", "right"].</summary>
    private static string Merge(JsonNode? merge) =>
        merge is JsonArray pair ? $"{pair[0]!.GetValue<string>()} {pair[1]!.GetValue<string>()}" : merge!.GetValue<string>();

    /// <summary>An id, or the first of several.</summary>
    private static int? FirstId(JsonNode? ids) => ids is JsonArray several ? several[0]!.GetValue<int>() : ids?.GetValue<int>();

    /// <summary>llama.cpp knows the rules that part words by name only.</summary>
    private static string SplitterOf(JsonNode? preTokenizer)
    {
        var steps = preTokenizer?["pretokenizers"]?.AsArray() ?? [preTokenizer?.DeepClone()];
        var pattern = steps.Select(s => s?["pattern"]?["Regex"]?.GetValue<string>()).FirstOrDefault(p => p is not null);
        if (pattern is not null) return pattern.Contains("{1,3}", StringComparison.Ordinal) ? "llama-bpe" : "qwen2";
        return steps.Any(s => s?["type"]?.GetValue<string>() == "Digits") ? "smollm" : "gpt-2";
    }
}
