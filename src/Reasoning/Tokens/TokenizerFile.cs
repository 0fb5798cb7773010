using System.Text.Json;

namespace SaferGuard.Reasoning.Tokens;

/// <summary>
/// What a Hugging Face <c>tokenizer.json</c> says, checked. Post-processor, truncation and padding are ignored: <see cref="PromptTemplate"/>
/// decides what surrounds a text. Anything else that would change the tokens and is not supported is refused.
/// </summary>
/// <param name="Vocabulary">Ordinary tokens, in the alphabet of <see cref="ByteAlphabet"/>.</param>
/// <param name="Merges">Pairs of tokens, the first merged first.</param>
/// <param name="Special">Tokens that text never becomes.</param>
/// <param name="PrefersWholePieces">A piece that is a token is that token, whatever the merges make of it (<c>ignore_merges</c>).</param>
internal sealed record TokenizerFile(
    IReadOnlyDictionary<string, int> Vocabulary,
    IReadOnlyList<(string Left, string Right)> Merges,
    IReadOnlyDictionary<string, int> Special,
    TextSplitter Splitter,
    bool PrefersWholePieces)
{
    private const int MaxBytes = 64 << 20;
    private const int MaxVocabulary = 1 << 20;

    private static readonly HashSet<string> KnownModelFields =
    [
        "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges",
        "vocab", "merges",
    ];

    /// <exception cref="InvalidDataException">The file is malformed, too large or not supported.</exception>
    public static TokenizerFile Read(string path)
    {
        if (new FileInfo(path).Length > MaxBytes) throw Refused($"the file has more than {MaxBytes >> 20} MB");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"tokenizer.json: {e.Message}", e);
        }
    }

    private static TokenizerFile Read(JsonElement root)
    {
        var model = Field(root, "model") ?? throw Refused("'model' is missing");
        CheckModel(model);
        if (Field(root, "normalizer") is { } normalizer) throw Refused($"normalizer '{TypeOf(normalizer)}' is not supported");

        var special = ReadSpecial(root);
        var vocabulary = ReadVocabulary(model, special);
        var ids = new HashSet<int>(vocabulary.Values.Concat(special.Values));
        if (ids.Count != vocabulary.Count + special.Count) throw Refused("two tokens have the same id");
        if (ids.Min() != 0 || ids.Max() != ids.Count - 1) throw Refused("the ids are not 0 to the number of tokens - 1");
        for (var b = 0; b < 256; b++)
        {
            if (!vocabulary.ContainsKey(ByteAlphabet.ToToken([(byte)b]))) throw Refused($"the vocabulary has no token for byte 0x{b:X2}");
        }

        return new TokenizerFile(
            vocabulary, ReadMerges(model, vocabulary), special, ReadSplitter(root), Field(model, "ignore_merges")?.GetBoolean() ?? false);
    }

    private static void CheckModel(JsonElement model)
    {
        if (Field(model, "type") is { } type && type.GetString() != "BPE") throw Refused($"model type '{type}' is not supported (BPE is)");
        foreach (var field in model.EnumerateObject())
        {
            if (!KnownModelFields.Contains(field.Name)) throw Refused($"model field '{field.Name}' is not supported");
        }

        foreach (var name in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (!string.IsNullOrEmpty(Field(model, name)?.GetString())) throw Refused($"'{name}' is not supported");
        }

        if (Field(model, "dropout") is { } dropout && dropout.GetDouble() != 0) throw Refused("'dropout' is not supported");
        if (Field(model, "byte_fallback")?.GetBoolean() ?? false) throw Refused("'byte_fallback' is not supported");
    }

    private static Dictionary<string, int> ReadSpecial(JsonElement root)
    {
        var special = new Dictionary<string, int>(StringComparer.Ordinal);
        if (Field(root, "added_tokens") is not { } added) return special;
        foreach (var token in added.EnumerateArray())
        {
            if (Field(token, "content")?.GetString() is not { Length: > 0 } content) throw Refused("an added token has no content");
            if (!(Field(token, "special")?.GetBoolean() ?? false))
                throw Refused($"added token '{content}' is not special, which is not supported");
            var id = Field(token, "id")?.GetInt32() ?? throw Refused($"added token '{content}' has no id");
            if (!special.TryAdd(content, id)) throw Refused($"added token '{content}' appears twice");
            if (special.Count > MaxVocabulary) throw Refused($"there are more than {MaxVocabulary} tokens");
        }

        return special;
    }

    private static Dictionary<string, int> ReadVocabulary(JsonElement model, Dictionary<string, int> special)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in (Field(model, "vocab") ?? throw Refused("'model.vocab' is missing")).EnumerateObject())
        {
            var id = entry.Value.GetInt32();
            if (special.TryGetValue(entry.Name, out var specialId))
            {
                if (id != specialId) throw Refused($"token '{entry.Name}' has the ids {id} and {specialId}");
                continue;
            }

            if (entry.Name.Length == 0 || !ByteAlphabet.TryToBytes(entry.Name, out _))
                throw Refused($"token '{entry.Name}' is not byte-level");
            if (!vocabulary.TryAdd(entry.Name, id)) throw Refused($"token '{entry.Name}' appears twice");
            if (vocabulary.Count + special.Count > MaxVocabulary) throw Refused($"there are more than {MaxVocabulary} tokens");
        }

        return vocabulary;
    }

    private static List<(string Left, string Right)> ReadMerges(JsonElement model, Dictionary<string, int> vocabulary)
    {
        var merges = new List<(string Left, string Right)>();
        var seen = new HashSet<(string, string)>();
        foreach (var entry in (Field(model, "merges") ?? throw Refused("'model.merges' is missing")).EnumerateArray())
        {
            string[] pair = entry.ValueKind == JsonValueKind.Array
                ? [.. entry.EnumerateArray().Select(e => e.GetString() ?? "")]
                : entry.GetString()?.Split(' ') ?? [];
            if (pair is not [var left, var right]) throw Refused($"merge {merges.Count} is not a pair of tokens");

            // The result must be an ordinary token too: otherwise text could merge into a special one.
            foreach (var token in (string[])[left, right, left + right])
            {
                if (!vocabulary.ContainsKey(token)) throw Refused($"merge {merges.Count} refers to '{token}', which is no ordinary token");
            }

            if (!seen.Add((left, right))) throw Refused($"merge {merges.Count} appears twice");
            merges.Add((left, right));
        }

        return merges;
    }

    private static TextSplitter ReadSplitter(JsonElement root)
    {
        var top = Field(root, "pre_tokenizer") ?? throw Refused("'pre_tokenizer' is missing");
        JsonElement[] steps = TypeOf(top) == "Sequence" ? [.. Field(top, "pretokenizers")?.EnumerateArray() ?? default] : [top];
        if (steps.Length == 0 || TypeOf(steps[^1]) != "ByteLevel") throw Refused("the pre-tokeniser is not ByteLevel");
        if (Field(steps[^1], "add_prefix_space")?.GetBoolean() ?? true) throw Refused("'add_prefix_space' is not supported");

        var usesRegex = Field(steps[^1], "use_regex")?.GetBoolean() ?? true;
        switch (steps.Length, usesRegex)
        {
            case (1, true):
                return TextSplitter.Gpt2;
            case (2, true) when TypeOf(steps[0]) == "Digits" && (Field(steps[0], "individual_digits")?.GetBoolean() ?? false):
                return TextSplitter.DigitsThenGpt2;
            case (2, false) when TypeOf(steps[0]) == "Split":
                if (Field(steps[0], "behavior")?.GetString() != "Isolated" || (Field(steps[0], "invert")?.GetBoolean() ?? false))
                    throw Refused("the pre-tokeniser Split is only supported with behavior Isolated and without invert");
                var pattern = Field(steps[0], "pattern") is { } p ? Field(p, "Regex")?.GetString() : null;
                return TextSplitter.TryOfPattern(pattern ?? "", out var splitter)
                    ? splitter
                    : throw Refused($"the pre-tokeniser's pattern '{pattern}' is not supported (those of GPT-2, Llama 3 and Qwen 2 are)");
            default:
                throw Refused($"the pre-tokeniser {string.Join(", ", steps.Select(TypeOf))} is not supported");
        }
    }

    private static string? TypeOf(JsonElement element) => Field(element, "type")?.GetString();

    /// <summary>Null where the field is missing or null.</summary>
    private static JsonElement? Field(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static InvalidDataException Refused(string reason) => new($"tokenizer.json: {reason}.");
}
