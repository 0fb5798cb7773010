using BenchmarkDotNet.Attributes;
using SaferGuard.Exporter;
using static SaferGuard.Exporter.OnnxGraph;
using DataType = Onnx.TensorProto.Types.DataType;

namespace SaferGuard.Benchmarks.Kernels;

/// <param name="Past">Tokens of each sequence in the cache.</param>
/// <param name="Queries">New tokens of each sequence.</param>
public sealed record AttentionShape(string Name, int Sequences, int Past, int Queries)
{
    public override string ToString() => Name;
}

/// <summary>One layer's attention in the 135M shape.</summary>
/// <remarks>BenchmarkDotNet derives from its classes.</remarks>
public class PagedAttentionBenchmarks
{
    private const int Heads = 9, KvHeads = 3, HeadSize = 64, BlockSize = 16, Positions = 4096;

    private OperatorSession _session = null!;

    [ParamsSource(nameof(Shapes))]
    public AttentionShape Shape { get; set; } = null!;

    public static IEnumerable<AttentionShape> Shapes =>
    [
        new("decode, 1 sequence", 1, 256, 1), new("decode, 16 sequences", 16, 256, 1), new("prefill", 1, 0, 256), new("chunk on prefix", 1, 768, 64),
    ];

    [GlobalSetup]
    public void Setup()
    {
        var (_, sequences, past, queries) = Shape;
        var random = new Random(1);
        int tokens = sequences * queries, perSequence = (past + queries + BlockSize - 1) / BlockSize, blocks = sequences * perSequence;
        long width = (Heads + 2 * KvHeads) * HeadSize, cache = (long)blocks * BlockSize * KvHeads * HeadSize;
        _session = new OperatorSession(0, Build)
            .Input("qkv", Normal(tokens * width), tokens, width)
            .Input("key_cache", Normal(cache), blocks, BlockSize, KvHeads, HeadSize)
            .Input("value_cache", Normal(cache), blocks, BlockSize, KvHeads, HeadSize)
            .Input("cu_seqlens", [.. Enumerable.Range(0, sequences + 1).Select(i => i * queries)], sequences + 1)
            .Input("past_lens", Enumerable.Repeat(past, sequences).ToArray(), sequences)
            .Input("block_table", [.. Enumerable.Range(0, blocks)], sequences, perSequence)
            .Output<float>("output", tokens, Heads * HeadSize);

        float[] Normal(long count) => [.. Enumerable.Range(0, (int)count).Select(_ => random.NextSingle() - 0.5f)];
    }

    [Benchmark]
    public void Attend() => _session.Run();

    [GlobalCleanup]
    public void Cleanup() => _session.Dispose();

    private static void Build(OnnxGraph graph)
    {
        graph.Input("qkv", DataType.Float, Size("T"), Size((Heads + 2 * KvHeads) * HeadSize));
        graph.Input("key_cache", DataType.Float, Size("N"), Size("S"), Size(KvHeads), Size(HeadSize));
        graph.Input("value_cache", DataType.Float, Size("N"), Size("S"), Size(KvHeads), Size(HeadSize));
        graph.Input("cu_seqlens", DataType.Int32, Size("B1"));
        graph.Input("past_lens", DataType.Int32, Size("B"));
        graph.Input("block_table", DataType.Int32, Size("B"), Size("M"));
        var angles = new float[Positions * HeadSize / 2];
        graph.Constant<float>("cos", [Positions, HeadSize / 2], angles);
        graph.Constant<float>("sin", [Positions, HeadSize / 2], angles);
        graph.Node(
            $"{MicrosoftDomain}.PagedAttention", "output",
            ["qkv", "", "", "key_cache", "value_cache", "cu_seqlens", "past_lens", "block_table", "cos", "sin"],
            Attribute("num_heads", Heads), Attribute("kv_num_heads", KvHeads), Attribute("do_rotary", 1));
        graph.Output("output", DataType.Float, Size("T"), Size(Heads * HeadSize));
    }
}
