using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// A CUDA device: ONNX Runtime's own PagedAttention in fp16 or bf16. The pools are memory of the device, each of them input and output of the graph
/// at once. The batch is copied to the device when it is bound, the logits come back at the end of a run.
/// </summary>
internal sealed unsafe class CudaModelRunner : OnnxModelRunner
{
    private const int ElementBytes = 2;

    private static readonly Version LeastForBfloat16 = new(8, 0);

    private readonly CudaDevice _device;
    private readonly BoundTensor _attentionMetadata;
    private readonly int[] _lengths = new int[3];
    private readonly int _poolCount;
    private ulong _pools;

    public CudaModelRunner(string graph, ModelConfig config, EngineOptions options)
        : this(CudaDevice.Open(options.DeviceId), graph, config, options)
    {
    }

    private CudaModelRunner(CudaDevice device, string graph, ModelConfig config, EngineOptions options)
        : this(device, CreateSession(device, graph), config, options)
    {
    }

    private CudaModelRunner(CudaDevice device, InferenceSession session, ModelConfig config, EngineOptions options)
        : base(session, config, TokensPerBlock(config.HeadSize), options.CacheTokens, config.HeadSize, copiesInputs: true)
    {
        _device = device;
        _attentionMetadata = new BoundTensor(Binding, "attention_metadata", isCopied: true);
        var names = PoolNames.ToList();
        _poolCount = names.Count;
        try
        {
            var type = ElementType(session, names[0]);
            if (type == TensorElementType.BFloat16 && device.ComputeCapability < LeastForBfloat16)
                throw new DeviceUnavailableException($"The CUDA device {device.Id} has compute capability {device.ComputeCapability}, but bf16 needs {LeastForBfloat16}. Export with --weights fp16.");
            PoolMemory.Require(options, _poolCount * PoolBytes, device.FreeBytes());
            _pools = device.Allocate(_poolCount * PoolBytes);
            using var memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.DeviceAllocator, device.Id, OrtMemType.Default);
            for (var pool = 0; pool < _poolCount; pool++) BindPool(names[pool], memory, _pools + (ulong)(pool * PoolBytes), type);
        }
        catch (Exception e)
        {
            Dispose();
            if (e is not InvalidOperationException) throw;
            throw new DeviceUnavailableException($"The CUDA device {device.Id} does not work: {e.Message}", e);
        }
    }

    private long BlockBytes => BlockElements * ElementBytes;

    private long PoolBytes => BlockCount * BlockBytes;

    public override void CopyBlock(int source, int target) =>
        _device.Copy(_pools, _poolCount, PoolBytes, source * BlockBytes, target * BlockBytes, BlockBytes);

    /// <summary>Without the lengths, every layer would wait for the device to learn them.</summary>
    private protected override void Prepare(StepBatch batch)
    {
        int longestChunk = 0, longest = 0;
        for (var sequence = 0; sequence < batch.Sequences; sequence++)
        {
            var chunk = batch.CuSeqlens[sequence + 1] - batch.CuSeqlens[sequence];
            longestChunk = Math.Max(longestChunk, chunk);
            longest = Math.Max(longest, batch.PastLens[sequence] + chunk);
        }

        // New tokens at most, all tokens at most, all tokens of the longest sequence at least.
        (_lengths[0], _lengths[1], _lengths[2]) = (longestChunk, longest, longest);
        _attentionMetadata.Bind(_lengths, [_lengths.Length]);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (!disposing) return;
        _attentionMetadata.Dispose();
        if (_pools != 0) _device.Free(_pools);
        _pools = 0;
        _device.Dispose();
    }

    /// <summary>FlashAttention reads the pools by tiles, whose size depends on the head's; a tile must lie in one block.</summary>
    private static int TokensPerBlock(int headSize) => headSize <= 64 ? 256 : headSize <= 128 ? 128 : 64;

    private static TensorElementType ElementType(InferenceSession session, string pool) =>
        session.InputMetadata.TryGetValue(pool, out var input) && input.ElementDataType is TensorElementType.Float16 or TensorElementType.BFloat16
            ? input.ElementDataType
            : throw new InvalidDataException("The graph was not exported for CUDA. Export it with --weights fp16 or bf16.");

    private void BindPool(string name, OrtMemoryInfo memory, ulong address, TensorElementType type)
    {
        foreach (var (bound, isOutput) in new[] { (name, false), (OutputName(name), true) })
        {
            var terminated = Marshal.StringToCoTaskMemUTF8(bound);
            OrtFunctions.Bind(
                Binding.DangerousGetHandle(), isOutput, (byte*)terminated, memory.DangerousGetHandle(), (void*)address, (nuint)PoolBytes, PoolShape, (int)type);
            Marshal.FreeCoTaskMem(terminated);
        }
    }

    /// <summary><c>key_cache_3</c> → <c>key_cache_out_3</c></summary>
    private static string OutputName(string pool) => pool.Replace("_cache_", "_cache_out_", StringComparison.Ordinal);

    private static InferenceSession CreateSession(CudaDevice device, string graph)
    {
        using var options = SessionOptions();
        options.IntraOpNumThreads = 1;
        try
        {
            using var provider = new OrtCUDAProviderOptions();
            provider.UpdateOptions(new() { ["device_id"] = FormattableString.Invariant($"{device.Id}"), ["arena_extend_strategy"] = "kSameAsRequested" });
            options.AppendExecutionProvider_CUDA(provider);
        }
        catch (OnnxRuntimeException e)
        {
            device.Dispose();
            throw new DeviceUnavailableException($"ONNX Runtime cannot load its CUDA provider: {e.Message} It needs the CUDA and cuDNN libraries that docs/gpu.md names.", e);
        }

        try
        {
            return new InferenceSession(graph, options);
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }
}
