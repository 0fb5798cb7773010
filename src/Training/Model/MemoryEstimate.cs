using System.Globalization;
using SaferGuard.Reasoning.Checkpoints;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>
/// Bytes that training takes. All but the activations follow from shapes; those are what one step keeps for its way back, counted as if every
/// sequence were as long as it may be.
/// </summary>
/// <param name="Weights">The decoder's, as they are kept.</param>
/// <param name="Adapters">What is trained beside frozen weights.</param>
/// <param name="Average">The second set of weights of a run that averages them.</param>
internal sealed record MemoryEstimate(long Weights, long Adapters, long Gradients, long Optimiser, long Average, long Activations)
{
    /// <summary>AdamW keeps two moments of each gradient.</summary>
    private const int Moments = 2;

    /// <summary>Share of the positions of a batch that are asked for a token of the whole vocabulary: those of sentences.</summary>
    private const double TextShare = 0.2;

    /// <summary>What is certain.</summary>
    public long Fixed => Weights + Adapters + Gradients + Optimiser + Average;

    /// <summary>Allocators and the runtime take a quarter more: 9.9 GB at the peak of a model of 135M parameters, where 7.9 GB were counted.</summary>
    public long Total => (Fixed + Activations) * 5 / 4;

    /// <param name="tokens">Tokens whose rows are trained beside frozen weights.</param>
    /// <param name="batchTokens">Tokens of a batch, in sequences of at most <paramref name="maxTokens"/>.</param>
    public static MemoryEstimate Of(ModelConfig config, LoraOptions? lora, int tokens, ScalarType compute, bool isAveraged, int batchTokens, int maxTokens)
    {
        var shapes = Checkpoint.TensorsOf(config).Select(t => (t.Name, Elements: t.Shape.Aggregate(1L, (a, b) => a * b), t.Shape)).ToList();
        var (matrices, vectors) = (shapes.Where(t => t.Shape.Length > 1).Sum(t => t.Elements), shapes.Where(t => t.Shape.Length == 1).Sum(t => t.Elements));
        var product = compute == ScalarType.Float32 ? sizeof(float) : sizeof(float) / 2; // bytes
        var weights = matrices * (lora is null ? sizeof(float) : product) + vectors * sizeof(float);
        var adapted = lora is null ? [] : shapes.Where(t => t.Shape.Length > 1 && lora.Adapts(ModuleOf(t.Name))).ToList();
        var adapters = adapted.Sum(t => lora!.Rank * t.Shape.Sum()) + (lora is null ? 0 : (config.TieWordEmbeddings ? 1L : 2) * tokens * config.HiddenSize);
        var trained = lora is null ? matrices + vectors : adapters;

        // Where weights are kept wider than they are multiplied, the narrow copies live until the way back.
        var copies = lora is null && product < sizeof(float) ? matrices * product : 0;
        var dropped = lora is { Dropout: > 0 } ? adapted.Sum(t => 2 * t.Shape[1]) : 0; // what the dropout of an adapter keeps
        var perToken = config.NumHiddenLayers * PerTokenAndLayer(config, product, maxTokens) + (dropped + adapted.Count * (lora?.Rank ?? 0L)) * product;
        var logits = (long)(TextShare * batchTokens) * config.VocabSize * sizeof(float) * 3; // logits, their softmax, their gradient
        return new MemoryEstimate(
            weights, adapters * sizeof(float), trained * sizeof(float), trained * sizeof(float) * Moments, isAveraged ? weights : 0,
            copies + perToken * batchTokens + logits);
    }

    public string Describe(int batchTokens) => string.Create(
        CultureInfo.InvariantCulture,
        $"memory: weights {Gigabytes(Weights)}, adapters {Gigabytes(Adapters)}, gradients {Gigabytes(Gradients)}, optimiser {Gigabytes(Optimiser)}, " +
        $"average {Gigabytes(Average)}, activations of {batchTokens} tokens about {Gigabytes(Activations)}; at the peak about {Gigabytes(Total)}");

    /// <summary>Refuses what cannot fit.</summary>
    /// <param name="available">Bytes of the machine.</param>
    /// <returns>A warning, or null.</returns>
    /// <exception cref="InvalidDataException">Even without activations there is too little memory.</exception>
    public string? Check(long available)
    {
        if (Fixed > available)
        {
            throw new InvalidDataException(
                $"Training needs {Gigabytes(Fixed)} before the first step, and the machine has {Gigabytes(available)}. " +
                "Adapters (--lora-rank) and --precision bf16 need the least.");
        }

        return Total > available ? $"The machine has {Gigabytes(available)}: batches may not fit. Lower batch_tokens or max_tokens." : null;
    }

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.##} GB");

    /// <summary>Bytes that one layer keeps of one token for the way back.</summary>
    private static long PerTokenAndLayer(ModelConfig config, int product, int maxTokens)
    {
        long queries = (long)config.NumAttentionHeads * config.HeadSize, keys = (long)config.NumKeyValueHeads * config.HeadSize;
        var residual = 4L * config.HiddenSize;                                            // the sums and the normalised rows, twice
        var attention = config.HiddenSize + 3 * queries + 3 * keys + (long)config.NumAttentionHeads * maxTokens;
        var feedForward = config.HiddenSize + 4L * config.IntermediateSize;               // gate, its SiLU, up, their product
        return residual * sizeof(float) + (attention + feedForward) * product;
    }

    private static string ModuleOf(string tensor) => tensor[..tensor.LastIndexOf('.')];
}
