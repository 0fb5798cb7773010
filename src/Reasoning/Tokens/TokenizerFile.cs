using System.Text.Json;
using SaferGuard.Reasoning.Tokens.Unicode;

namespace SaferGuard.Reasoning.Tokens;

/// <summary>
/// What a Hugging Face <c>tokenizer.json</c> says, checked. Post-processor, truncation and padding are ignored: <see cref="PromptTemplate"/>
/// decides what surrounds a text. Anything else that would change the tokens and is not supported is refused. A byte without a token vanishes, as
/// it does there where the file names no <c>unk_token</c>; where it names one, text would become a special token.
/// </summary>
/// <param name="Vocabulary">Ordinary tokens, in the alphabet of <see cref="ByteAlphabet"/>.</param>
/// <param name="Merges">Pairs of tokens, the first merged first.</param>
/// <param name="Special">Tokens that text never becomes.</param>
/// <param name="Added">Tokens that text becomes before it is normalised, whatever surrounds them.</param>
/// <param name="AddedNormalized">The same, after it is normalised.</param>
/// <param name="ComposesText">Text is brought to Unicode's form NFC.</param>
/// <param name="PrefersWholePieces">A piece that is a token is that token, whatever the merges make of it (<c>ignore_merges</c>).</param>
internal sealed record TokenizerFile(
    IReadOnlyDictionary<string, int> Vocabulary,
    IReadOnlyList<(string Left, string Right)> Merges,
    IReadOnlyDictionary<string, int> Special,
    IReadOnlyDictionary<string, int> Added,
    IReadOnlyDictionary<string, int> AddedNormalized,
    bool ComposesText,
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
        var composesText = ReadNormalizer(root);
        var added = ReadAdded(root, composesText);
        var special = IdsOf(added.Where(t => t.IsSpecial));
        var others = added.Where(t => !t.IsSpecial).ToList();
        var vocabulary = ReadVocabulary(model, added.ToDictionary(t => t.Content, StringComparer.Ordinal));
        CheckIds([.. vocabulary, .. added.Where(t => !vocabulary.ContainsKey(t.Content)).Select(t => KeyValuePair.Create(t.Content, t.Id))]);
        for (var c = ' '; c <= '~'; c++)
        {
            if (!vocabulary.ContainsKey(ByteAlphabet.ToToken([(byte)c]))) throw Refused($"the vocabulary has no token for '{c}'");
        }

        return new TokenizerFile(
            vocabulary,
            ReadMerges(model, vocabulary),
            special,
            IdsOf(others.Where(t => !t.IsNormalized)),
            IdsOf(others.Where(t => t.IsNormalized)),
            composesText,
            ReadSplitter(root),
            Field(model, "ignore_merges")?.GetBoolean() ?? false);
    }

    /// <summary>Ids may leave holes: tables of models are often longer than their vocabularies.</summary>
    private static void CheckIds(IReadOnlyCollection<KeyValuePair<string, int>> tokens)
    {
        if (tokens.Count > MaxVocabulary) throw Refused($"there are more than {MaxVocabulary} tokens");
        if (tokens.FirstOrDefault(t => t.Value is < 0 or >= MaxVocabulary) is { Key: { } name, Value: var id })
            throw Refused($"the id {id} of '{name}' is out of range");
        if (tokens.Select(t => t.Value).Distinct().Count() != tokens.Count) throw Refused("two tokens have the same id");
    }

    private static bool ReadNormalizer(JsonElement root) => Field(root, "normalizer") switch
    {
        null => false,
        { } normalizer when TypeOf(normalizer) == "NFC" => true,
        { } normalizer => throw Refused($"normalizer '{TypeOf(normalizer)}' is not supported (NFC is)"),
    };

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
        if (IsTrue(model, "byte_fallback")) throw Refused("'byte_fallback' is not supported: SentencePiece tokenisers, as of Llama 2, are not");
    }

    private static List<AddedToken> ReadAdded(JsonElement root, bool composesText)
    {
        var tokens = new List<AddedToken>();
        if (Field(root, "added_tokens") is not { } added) return tokens;
        var contents = new HashSet<string>(StringComparer.Ordinal);
        foreach (var element in added.EnumerateArray())
        {
            if (Field(element, "content")?.GetString() is not { Length: > 0 } content) throw Refused("an added token has no content");
            var id = Field(element, "id")?.GetInt32() ?? throw Refused($"added token '{content}' has no id");
            var isSpecial = IsTrue(element, "special");
            var token = new AddedToken(content, id, isSpecial, Field(element, "normalized")?.GetBoolean() ?? !isSpecial);
            if (!contents.Add(content)) throw Refused($"added token '{content}' appears twice");
            if (!isSpecial) CheckOrdinary(element, token, composesText);
            tokens.Add(token);
        }

        return tokens;
    }

    /// <summary>Text becomes such a token, so that how it is found matters.</summary>
    private static void CheckOrdinary(JsonElement element, AddedToken token, bool composesText)
    {
        foreach (var field in (string[])["single_word", "lstrip", "rstrip"])
        {
            if (IsTrue(element, field)) throw Refused($"'{field}' of added token '{token.Content}' is not supported");
        }

        if (composesText && token.IsNormalized && Nfc.Compose(token.Content).Text != token.Content)
            throw Refused($"added token '{token.Content}' is not in the form NFC");
    }

    private static Dictionary<string, int> ReadVocabulary(JsonElement model, Dictionary<string, AddedToken> added)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in (Field(model, "vocab") ?? throw Refused("'model.vocab' is missing")).EnumerateObject())
        {
            var id = entry.Value.GetInt32();
            var isByteLevel = ByteAlphabet.TryToBytes(entry.Name, out _);
            if (added.TryGetValue(entry.Name, out var token))
            {
                if (id != token.Id) throw Refused($"token '{entry.Name}' has the ids {id} and {token.Id}");
                if (token.IsSpecial || !isByteLevel) continue;
            }
            else if (entry.Name.Length == 0 || !isByteLevel)
            {
                throw Refused($"token '{entry.Name}' is not byte-level");
            }

            if (!vocabulary.TryAdd(entry.Name, id)) throw Refused($"token '{entry.Name}' appears twice");
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
            case (2, true) when TypeOf(steps[0]) == "Digits" && IsTrue(steps[0], "individual_digits"):
                return TextSplitter.DigitsThenGpt2;
            case (2, false) when TypeOf(steps[0]) == "Split":
                if (Field(steps[0], "behavior")?.GetString() != "Isolated" || IsTrue(steps[0], "invert"))
                    throw Refused("the pre-tokeniser Split is only supported with behavior Isolated and without invert");
                var pattern = Field(steps[0], "pattern") is { } p ? Field(p, "Regex")?.GetString() : null;
                return TextSplitter.TryOfPattern(pattern ?? "", out var splitter)
                    ? splitter
                    : throw Refused($"the pre-tokeniser's pattern '{pattern}' is not supported (those of GPT-2, Llama 3, Qwen 2 and Mistral Nemo are)");
            default:
                throw Refused($"the pre-tokeniser {string.Join(", ", steps.Select(TypeOf))} is not supported");
        }
    }

    private static Dictionary<string, int> IdsOf(IEnumerable<AddedToken> tokens) =>
        tokens.ToDictionary(t => t.Content, t => t.Id, StringComparer.Ordinal);

    private static bool IsTrue(JsonElement element, string name) => Field(element, name)?.GetBoolean() ?? false;

    private static string? TypeOf(JsonElement element) => Field(element, "type")?.GetString();

    /// <summary>Null where the field is missing or null.</summary>
    private static JsonElement? Field(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static InvalidDataException Refused(string reason) => new($"tokenizer.json: {reason}.");

    private sealed record AddedToken(string Content, int Id, bool IsSpecial, bool IsNormalized);
}
