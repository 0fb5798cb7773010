using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// Runs the ragged-flat PagedAttention graph of the exporter through ONNX Runtime on CPU. The key/value pools and the batch's buffers are native
/// memory that is bound in place; only bindings whose shape has changed are made anew.
/// </summary>
public sealed unsafe class OnnxModelRunner : ModelRunner
{
    private const int TokensPerBlock = 16;

    private readonly ModelConfig _config;
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _runOptions = new();
    private readonly List<OrtValue> _pools = [];
    private readonly List<nint> _memory = [];
    private readonly Dictionary<string, (GCHandle Pin, OrtValue? Value, long[] Shape)> _bound = [];
    private readonly long _blockBytes;

    /// <param name="graph">Path of <c>model.onnx</c>; its data file lies beside it.</param>
    public OnnxModelRunner(string graph, ModelConfig config, EngineOptions options)
    {
        _config = config;
        using var sessionOptions = SessionOptions(options.Threads);
        CustomOpLibrary.Register(sessionOptions);
        _session = new InferenceSession(graph, sessionOptions);
        _binding = _session.CreateIoBinding();
        BlockCount = (options.CacheTokens + TokensPerBlock - 1) / TokensPerBlock;
        _blockBytes = (long)TokensPerBlock * config.NumKeyValueHeads * config.HeadSize * sizeof(float);
        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            BindPool($"key_cache_{layer}");
            BindPool($"value_cache_{layer}");
        }
    }

    public override int VocabularySize => _config.VocabSize;

    public override int MaxPositions => _config.MaxPositions;

    public override int NgramOrders => _config.SaferguardNgrams?.Orders ?? 0;

    public override int BlockSize => TokensPerBlock;

    public override int BlockCount { get; }

    public override void Run(StepBatch batch)
    {
        Validate(batch);
        Bind("input_ids", batch.InputIds, [batch.Tokens]);
        if (NgramOrders > 0) Bind("ngram_ids", batch.NgramIds, [batch.Tokens, NgramOrders]);
        Bind("cu_seqlens", batch.CuSeqlens, [batch.Sequences + 1]);
        Bind("past_lens", batch.PastLens, [batch.Sequences]);
        Bind("block_table", batch.BlockTable, [batch.Sequences, batch.BlocksPerSequence]);

        // A pass that completes no chunk asks for no logits; the graph wants a row all the same.
        if (batch.Queries == 0) batch.LogitIndexes[0] = 0;
        var rows = Math.Max(1, batch.Queries);
        Bind("logit_idx", batch.LogitIndexes, [rows]);
        Bind("logits", batch.Logits, [rows, VocabularySize], isOutput: true);
        _session.RunWithBinding(_runOptions, _binding);
    }

    public override void CopyBlock(int source, int target)
    {
        foreach (var pool in _memory)
            NativeMemory.Copy((byte*)pool + source * _blockBytes, (byte*)pool + target * _blockBytes, (nuint)_blockBytes);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _binding.Dispose();
            _session.Dispose();
            _runOptions.Dispose();
            foreach (var value in _pools) value.Dispose();
            foreach (var (pin, value, _) in _bound.Values)
            {
                value?.Dispose();
                pin.Free();
            }
        }

        foreach (var memory in _memory) NativeMemory.AlignedFree((void*)memory);
        _memory.Clear();
    }

    private static SessionOptions SessionOptions(int threads)
    {
        var options = new SessionOptions
        {
            IntraOpNumThreads = threads == 0 ? Environment.ProcessorCount : threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "1");
        options.AddSessionConfigEntry("session.intra_op.spin_duration_us", "1000");

        // CPUs without VNNI saturate products of u8 and s8 otherwise, so that int8 would be silently wrong there.
        options.AddSessionConfigEntry("session.x64quantprecision", "1");
        return options;
    }

    /// <summary>Nothing below this class catches a bad token or block.</summary>
    private void Validate(StepBatch batch)
    {
        foreach (var id in batch.InputIds.AsSpan(0, batch.Tokens))
            if ((ulong)id >= (ulong)VocabularySize) throw new ArgumentException($"Token {id} is not in the vocabulary.");
        foreach (var block in batch.BlockTable.AsSpan(0, batch.Sequences * batch.BlocksPerSequence))
            if ((uint)block >= (uint)BlockCount) throw new ArgumentException($"Block {block} is not in the pool.");
    }

    private void BindPool(string name)
    {
        var bytes = BlockCount * _blockBytes;
        var memory = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear((void*)memory, (nuint)bytes);
        _memory.Add(memory);
        var value = OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance, TensorElementType.Float,
            [BlockCount, TokensPerBlock, _config.NumKeyValueHeads, _config.HeadSize], memory, bytes);
        _pools.Add(value);
        _binding.BindInput(name, value);
    }

    private void Bind<T>(string name, T[] buffer, ReadOnlySpan<long> shape, bool isOutput = false)
        where T : unmanaged
    {
        if (!_bound.TryGetValue(name, out var bound)) bound = (GCHandle.Alloc(buffer, GCHandleType.Pinned), null, []);
        if (shape.SequenceEqual(bound.Shape)) return;
        long count = 1;
        foreach (var dimension in shape) count *= dimension;
        if (count > buffer.Length) throw new ArgumentException($"'{name}' has {count} elements, its buffer {buffer.Length}.");
        var type = typeof(T) == typeof(long) ? TensorElementType.Int64 : typeof(T) == typeof(int) ? TensorElementType.Int32 : TensorElementType.Float;
        var value = OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance, type, shape.ToArray(), bound.Pin.AddrOfPinnedObject(), count * sizeof(T));
        if (isOutput) _binding.BindOutput(name, value);
        else _binding.BindInput(name, value);
        bound.Value?.Dispose();
        _bound[name] = (bound.Pin, value, shape.ToArray());
    }
}
