using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Engine;

/// <summary>The CPU: attention and quantisation are custom ops in C#, and the pools are native memory.</summary>
internal sealed unsafe class CpuModelRunner : OnnxModelRunner
{
    private const int TokensPerBlock = 16;
    private const int Alignment = 64;

    // The first session of a process enters our operators' domain into a table of ONNX Runtime's, which looks and writes without a lock:
    // of two that load at once, one would fail.
    private static readonly Lock _loading = new();

    private readonly List<nint> _pools = [];

    public CpuModelRunner(string graph, ModelConfig config, EngineOptions options)
        : base(CreateSession(graph, config, options), config, TokensPerBlock, options.CacheTokens, CacheWidth(config, options.KvCache), copiesInputs: false)
    {
        try
        {
            var names = PoolNames.ToList();
            PoolMemory.Require(options, names.Count * PoolBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
            foreach (var name in names) BindPool(name);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private long BlockBytes => BlockElements * sizeof(float);

    private long PoolBytes => BlockCount * BlockBytes;

    public override void CopyBlock(int source, int target)
    {
        foreach (var pool in _pools) NativeMemory.Copy((byte*)pool + source * BlockBytes, (byte*)pool + target * BlockBytes, (nuint)BlockBytes);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        foreach (var pool in _pools) NativeMemory.AlignedFree((void*)pool);
        _pools.Clear();
    }

    private void BindPool(string name)
    {
        var pool = (nint)NativeMemory.AlignedAlloc((nuint)PoolBytes, Alignment);
        _pools.Add(pool);
        NativeMemory.Clear((void*)pool, (nuint)PoolBytes);
        using var value = OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, TensorElementType.Float, PoolShape, pool, PoolBytes);
        Binding.BindInput(name, value);
    }

    private static InferenceSession CreateSession(string graph, ModelConfig config, EngineOptions options)
    {
        using var session = SessionOptions();
        session.IntraOpNumThreads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        session.AddSessionConfigEntry("session.intra_op.allow_spinning", "1");
        session.AddSessionConfigEntry("session.intra_op.spin_duration_us", "1000");

        // Without the instructions int8 would be silently wrong otherwise; with them this would make it take twice the time.
        if (!Int8DotProduct.IsSupported) session.AddSessionConfigEntry("session.x64quantprecision", "1");
        CustomOpLibrary.Register(session);
        InferenceSession loaded;
        lock (_loading) loaded = new InferenceSession(graph, session);
        try
        {
            RequireCacheWidth(loaded, graph, config, options.KvCache);
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Floats that a head takes in a pool: two bf16 share one.</summary>
    private static int CacheWidth(ModelConfig config, KvCacheFormat format) => format == KvCacheFormat.Bf16 ? config.HeadSize / 2 : config.HeadSize;

    /// <summary>A graph that leaves the caches' last dimension open serves every format; older ones fix it to fp32.</summary>
    private static void RequireCacheWidth(InferenceSession session, string graph, ModelConfig config, KvCacheFormat format)
    {
        if (session.InputMetadata["key_cache_0"].Dimensions[3] is var width and >= 0 && width != CacheWidth(config, format))
            throw new InvalidDataException(
                $"'{graph}' was exported for an fp32 key/value cache only and cannot serve {format}: export the bundle again, or leave KvCache at Fp32.");
    }
}
