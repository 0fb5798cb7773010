using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Training.Sft;

/// <summary>The size of a model; the tokeniser gives the rest of its configuration.</summary>
internal sealed record ModelSize
{
    public int HiddenSize { get; init; } = 128;

    public int IntermediateSize { get; init; } = 384;

    public int Layers { get; init; } = 4;

    public int Heads { get; init; } = 4;

    public int KeyValueHeads { get; init; } = 2;

    /// <summary>The longest sequence that serving accepts.</summary>
    public int MaxPositions { get; init; } = 4096;

    /// <summary>Hashed n-gram embeddings; null for none.</summary>
    public NgramConfig? Ngrams { get; init; } = new(Orders: 3, Buckets: 65536, Size: 48);

    public ModelConfig Config(int vocabularySize) => ModelConfig.Parse(new ModelConfig
    {
        VocabSize = vocabularySize,
        HiddenSize = HiddenSize,
        IntermediateSize = IntermediateSize,
        NumHiddenLayers = Layers,
        NumAttentionHeads = Heads,
        NumKeyValueHeads = KeyValueHeads,
        MaxPositionEmbeddings = MaxPositions,
        TieWordEmbeddings = true,
        SaferguardNgrams = Ngrams,
    }.ToJson());
}

/// <summary>Everything that decides what a run gives, besides its rows and tokeniser: a JSON file with the fields that differ from the defaults.</summary>
internal sealed record SftRecipe
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
    };

    public ModelSize Model { get; init; } = new();

    public SftOptions Training { get; init; } = new();

    /// <exception cref="InvalidDataException">The file is not a recipe; the message lists what is wrong.</exception>
    public static SftRecipe Read(string path)
    {
        try
        {
            var recipe = JsonSerializer.Deserialize<SftRecipe>(File.ReadAllText(path), Json);
            if (recipe is not { Model: not null, Training.Weights: not null }) throw new InvalidDataException($"{path}: nothing may be null.");
            var errors = recipe.Training.Errors().ToList();
            return errors.Count == 0 ? recipe : throw new InvalidDataException($"{path}: {string.Join("; ", errors)}");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    public string ToJson() => JsonSerializer.Serialize(this, Json);
}
