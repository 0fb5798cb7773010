using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Training.Tests.Model;

internal static class TinyModel
{
    public static ModelConfig Config { get; } = new()
    {
        VocabSize = 40,
        HiddenSize = 16,
        IntermediateSize = 24,
        NumHiddenLayers = 2,
        NumAttentionHeads = 4,
        NumKeyValueHeads = 2,
        MaxPositionEmbeddings = 64,
        TieWordEmbeddings = true,
        SaferguardNgrams = new NgramConfig(Orders: 2, Buckets: 32, Size: 6),
    };
}
