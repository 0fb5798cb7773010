using Microsoft.ML.OnnxRuntime;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// Runs the ragged-flat PagedAttention graph of the exporter through ONNX Runtime. What the devices have in common: the batch's buffers are bound in
/// place, everything in them is checked, and a run allocates no managed memory. Where the key/value pools lie is up to the device.
/// </summary>
public abstract class OnnxModelRunner : ModelRunner
{
    private readonly ModelConfig _config;
    private readonly InferenceSession _session;
    private readonly int _cacheWidth; // elements that a head takes in a pool
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _runOptions = new();
    private readonly BoundTensor _inputIds;
    private readonly BoundTensor _ngramIds;
    private readonly BoundTensor _cuSeqlens;
    private readonly BoundTensor _pastLens;
    private readonly BoundTensor _blockTable;
    private readonly BoundTensor _logitIndexes;
    private readonly BoundTensor _logits;

    private protected OnnxModelRunner(InferenceSession session, ModelConfig config, int blockSize, int cacheTokens, int cacheWidth, bool copiesInputs)
    {
        OrtFunctions.Load();
        (_session, _config, BlockSize, _cacheWidth) = (session, config, blockSize, cacheWidth);
        BlockCount = (cacheTokens + blockSize - 1) / blockSize;
        _binding = session.CreateIoBinding();
        _inputIds = Input("input_ids");
        _ngramIds = Input("ngram_ids");
        _cuSeqlens = Input("cu_seqlens");
        _pastLens = Input("past_lens");
        _blockTable = Input("block_table");
        _logitIndexes = Input("logit_idx");
        _logits = new BoundTensor(_binding, "logits", isOutput: true);

        BoundTensor Input(string name) => new(_binding, name, isCopied: copiesInputs);
    }

    public override int VocabularySize => _config.VocabSize;

    public override int MaxPositions => _config.MaxPositions;

    public override int NgramOrders => _config.SaferguardNgrams?.Orders ?? 0;

    public override int BlockSize { get; }

    public override int BlockCount { get; }

    /// <summary>Elements of a block of one pool.</summary>
    private protected long BlockElements => (long)BlockSize * _config.NumKeyValueHeads * _cacheWidth;

    private protected long[] PoolShape => [BlockCount, BlockSize, _config.NumKeyValueHeads, _cacheWidth];

    /// <summary>Inputs of the graph that hold keys or values, two for each layer.</summary>
    private protected IEnumerable<string> PoolNames =>
        Enumerable.Range(0, _config.NumHiddenLayers).SelectMany(layer => new[] { $"key_cache_{layer}", $"value_cache_{layer}" });

    private protected OrtIoBinding Binding => _binding;

    /// <summary>Loads a graph for the device of the options.</summary>
    /// <param name="graph">Path of <c>model.onnx</c>; its data file lies beside it.</param>
    /// <exception cref="DeviceUnavailableException">The device is not there, or this build cannot use it.</exception>
    /// <exception cref="ArgumentException">The key/value pool does not fit into memory.</exception>
    public static OnnxModelRunner Open(string graph, ModelConfig config, EngineOptions options) =>
        options.Device == Device.Cuda ? new CudaModelRunner(graph, config, options) : new CpuModelRunner(graph, config, options);

    /// <summary>Why a device cannot be used by this build on this machine, or null if it can.</summary>
    public static string? WhyUnavailable(Device device, int deviceId = 0)
    {
        try
        {
            if (device == Device.Cuda) _ = CudaDevice.DriverOf(deviceId);
            return null;
        }
        catch (DeviceUnavailableException unavailable)
        {
            return unavailable.Message;
        }
    }

    public override void Run(StepBatch batch)
    {
        BatchCheck.Require(batch, this, _config);
        _inputIds.Bind(batch.InputIds, [batch.Tokens]);
        if (NgramOrders > 0) _ngramIds.Bind(batch.NgramIds, [batch.Tokens, NgramOrders]);
        _cuSeqlens.Bind(batch.CuSeqlens, [batch.Sequences + 1]);
        _pastLens.Bind(batch.PastLens, [batch.Sequences]);
        _blockTable.Bind(batch.BlockTable, [batch.Sequences, batch.BlocksPerSequence]);

        // A pass that completes no chunk asks for no logits; the graph wants a row all the same.
        if (batch.Queries == 0) batch.LogitIndexes[0] = 0;
        var rows = Math.Max(1, batch.Queries);
        _logitIndexes.Bind(batch.LogitIndexes, [rows]);
        _logits.Bind(batch.Logits, [rows, VocabularySize]);
        Prepare(batch);
        _session.RunWithBinding(_runOptions, _binding);
    }

    /// <summary>Binds what only this device's graph has.</summary>
    private protected virtual void Prepare(StepBatch batch)
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        _binding.Dispose();
        _session.Dispose();
        _runOptions.Dispose();
        foreach (var tensor in new[] { _inputIds, _ngramIds, _cuSeqlens, _pastLens, _blockTable, _logitIndexes, _logits }) tensor.Dispose();
    }

    private protected static SessionOptions SessionOptions() => new()
    {
        InterOpNumThreads = 1,
        ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
        GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,

        // It keeps a plan for every combination of shapes that it has met, for ever; ragged batches have no end of them.
        EnableMemoryPattern = false,
    };
}
