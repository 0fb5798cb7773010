using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Training.Model;
using SaferGuard.Training.Runs;

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
    /// <summary>Of a new model.</summary>
    public ModelSize Model { get; init; } = new();

    /// <summary>Null where all weights are trained. Only what was trained before can be adapted.</summary>
    public LoraOptions? Lora { get; init; }

    public SftOptions Training { get; init; } = new();

    /// <inheritdoc cref="RecipeFile.Read"/>
    public static SftRecipe Read(string path) => RecipeFile.Read<SftRecipe>(path, r => r.Errors());

    /// <summary>What is out of range, by the recipe's names.</summary>
    public IEnumerable<string> Errors() => [.. Training.Errors(), .. Lora?.Errors() ?? []];

    public string ToJson() => RecipeFile.Write(this);
}
