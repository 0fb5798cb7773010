using SaferGuard.Benchmarks.Gguf;
using SaferGuard.Exporter;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Benchmarks.Compare;

/// <param name="Work">Folder for models, the peer and the store.</param>
/// <param name="Rounds">Rounds of every measurement; medians are reported.</param>
/// <param name="Duration">The least time that a contestant runs in a round.</param>
internal sealed record CompareOptions(string Work, string Report, IReadOnlyList<string> Shapes, int Rounds, TimeSpan Duration)
{
    /// <summary>Of ONNX Runtime and of llama.cpp.</summary>
    public const int Threads = 2;

    public const int PromptWords = 20;
    public const int PrefillTokens = 256;

    public static IReadOnlyList<int> Callers { get; } = [1, 4, 16];

    /// <summary>Ample for sixteen callers, and no more: several engines share the machine's memory.</summary>
    public static EngineOptions Engine { get; } = new()
    {
        CacheTokens = 16_384,
        PrefixCacheTokens = 8_192,
        Threads = Threads,
        RequestTimeout = TimeSpan.FromMinutes(10),
    };
}

/// <summary>Formats that are held against each other.</summary>
internal sealed record Precision(WeightFormat Ours, GgufType Theirs)
{
    public static Precision Exact { get; } = new(WeightFormat.Fp32, GgufType.F32);

    public static Precision Bytes { get; } = new(WeightFormat.Int8, GgufType.Q8_0);

    public override string ToString() => $"{Ours.ToString().ToLowerInvariant()} / {Theirs.ToString().ToLowerInvariant()}";
}
