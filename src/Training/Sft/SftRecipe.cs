using SaferGuard.Reasoning.Checkpoints;
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
    public ModelSize Model { get; init; } = new();

    public SftOptions Training { get; init; } = new();

    /// <inheritdoc cref="RecipeFile.Read"/>
    public static SftRecipe Read(string path) => RecipeFile.Read<SftRecipe>(path, r => r.Training.Errors());

    public string ToJson() => RecipeFile.Write(this);
}
