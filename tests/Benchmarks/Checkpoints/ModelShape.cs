using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Benchmarks.Checkpoints;

/// <summary>Sizes of the models that are measured.</summary>
internal static class ModelShape
{
    public const string Nano = "nano";
    public const string Smol = "135m";

    public static IReadOnlyDictionary<string, ModelConfig> All { get; } = new Dictionary<string, ModelConfig>
    {
        // The bundled model.
        [Nano] = new()
        {
            VocabSize = 8192,
            HiddenSize = 128,
            IntermediateSize = 384,
            NumHiddenLayers = 4,
            NumAttentionHeads = 4,
            NumKeyValueHeads = 2,
            MaxPositionEmbeddings = 4096,
            TieWordEmbeddings = true,
            SaferguardNgrams = new NgramConfig(Orders: 3, Buckets: 131_072, Size: 48),
        },

        // SmolLM2-135M.
        [Smol] = new()
        {
            VocabSize = 49_152,
            HiddenSize = 576,
            IntermediateSize = 1536,
            NumHiddenLayers = 30,
            NumAttentionHeads = 9,
            NumKeyValueHeads = 3,
            MaxPositionEmbeddings = 4096,
            TieWordEmbeddings = true,
        },
    };
}
