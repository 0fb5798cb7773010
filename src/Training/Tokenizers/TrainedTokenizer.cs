using System.Text.Encodings.Web;
using System.Text.Json;

namespace SaferGuard.Training.Tokenizers;

/// <summary>What <see cref="BpeTrainer"/> learned.</summary>
/// <param name="Tokens">By id, special tokens first, the others in the alphabet of byte-level BPE.</param>
/// <param name="Merges">Pairs of token ids, the first merged first.</param>
public sealed record TrainedTokenizer(
    IReadOnlyList<string> SpecialTokens, IReadOnlyList<string> Tokens, IReadOnlyList<(int Left, int Right)> Merges)
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes Hugging Face's <c>tokenizer.json</c>.</summary>
    public void Save(string path)
    {
        var vocabulary = new Dictionary<string, int>();
        for (var id = 0; id < Tokens.Count; id++) vocabulary.Add(Tokens[id], id);
        var file = new
        {
            version = "1.0",
            truncation = (object?)null,
            padding = (object?)null,
            added_tokens = SpecialTokens.Select((token, id) => new
            {
                id,
                content = token,
                single_word = false,
                lstrip = false,
                rstrip = false,
                normalized = false,
                special = true,
            }),
            normalizer = (object?)null,
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            post_processor = (object?)null,
            decoder = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            model = new
            {
                type = "BPE",
                dropout = (double?)null,
                unk_token = (string?)null,
                continuing_subword_prefix = (string?)null,
                end_of_word_suffix = (string?)null,
                fuse_unk = false,
                byte_fallback = false,
                ignore_merges = false,
                vocab = vocabulary,
                merges = Merges.Select(m => $"{Tokens[m.Left]} {Tokens[m.Right]}"),
            },
        };
        using var stream = File.Create(path);
        JsonSerializer.Serialize(stream, file, Json);
    }
}
