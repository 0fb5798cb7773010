using Microsoft.ML.OnnxRuntime;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

/// <summary>The ops inside ONNX Runtime, on its threads.</summary>
public sealed unsafe class CustomOpLibraryTests
{
    private static readonly HeadShape Shape = new(6, 2, 32, 16);

    private static readonly string[] AttentionInputs =
        ["qkv", "", "", "keys", "values", "cu_seqlens", "past_lens", "block_table", "cos", "sin"];

    private static readonly string[] Names = [.. AttentionInputs.Where(name => name.Length > 0)];

    [Theory]
    [MemberData(nameof(PagedAttentionKernelTests.IsasAndCaches), MemberType = typeof(PagedAttentionKernelTests))]
    public void PagedAttention_in_a_session_is_the_kernel(KernelIsa isa, KvCacheFormat cache)
    {
        var (inSession, direct) = (Batch(cache), Batch(cache));
        using var session = AttentionSession(isa);
        foreach (var step in (List<(int, int)[]>)[[(0, 60), (1, 3)], [(0, 1), (1, 30)], [(1, 1)]])
        {
            inSession.Prepare(isa, step);
            var output = Run(session, inSession);
            direct.Run(isa, step);
            Assert.Equal(direct.Output, output);
        }
    }

    [Fact]
    public void The_scale_of_the_node_is_used()
    {
        var (inSession, direct) = (Batch(), Batch());
        using var session = AttentionSession(KernelIsa.Best, OnnxBytes.Attribute("scale", 0.25f));
        inSession.Prepare(KernelIsa.Best, (0, 60));
        var job = direct.Prepare(KernelIsa.Best, (0, 60));
        job.Scale = 0.25f;
        PagedAttentionKernel.WriteCache(&job, 0, 60);
        for (var unit = 0; unit < job.Units; unit++)
            PagedAttentionKernel.Attend(&job, unit);
        Assert.Equal(direct.Output, Run(session, inSession));
    }

    [Fact]
    public void A_batch_without_sequences_runs()
    {
        var batch = Batch();
        batch.Prepare(KernelIsa.Best);
        using var session = AttentionSession(KernelIsa.Best);
        Assert.Empty(Run(session, batch));
    }

    [Fact]
    public void A_refused_batch_is_an_error_that_leaves_the_session_and_the_cache_usable()
    {
        var (batch, untroubled) = (Batch(), Batch());
        using var session = AttentionSession(KernelIsa.Best);
        batch.Prepare(KernelIsa.Best, (0, 60), (1, 3));
        var good = batch.BlockTable[1];
        for (var i = 0; i < 50; i++)
        {
            batch.BlockTable[1] = 99;
            var exception = Assert.Throws<OnnxRuntimeException>(() => Run(session, batch));
            Assert.Contains("block_table of sequence 0 names block 99", exception.Message, StringComparison.Ordinal);
        }

        Assert.All(batch.KeyCache, x => Assert.True(float.IsNaN(x)));
        batch.BlockTable[1] = good;
        untroubled.Run(KernelIsa.Best, [(0, 60), (1, 3)]);
        Assert.Equal(untroubled.Output, Run(session, batch));
    }

    [Theory]
    [InlineData("qkv", 63)]
    [InlineData("values", 2)]
    [InlineData("past_lens", 1)]
    [InlineData("sin", 5)]
    public void Tensors_that_do_not_fit_each_other_are_refused(string name, long firstDimension)
    {
        var batch = Batch();
        batch.Prepare(KernelIsa.Best, (0, 61), (1, 3));
        using var session = AttentionSession(KernelIsa.Best);
        Assert.Throws<OnnxRuntimeException>(() => Run(session, batch, (name, firstDimension)));
    }

    [Theory]
    [InlineData("local_window_size", 128)]
    [InlineData("rotary_interleaved", 1)]
    public void A_node_that_asks_for_what_the_op_does_not_do_is_refused_when_it_is_loaded(string attribute, long value)
    {
        var exception = Assert.Throws<OnnxRuntimeException>(() => AttentionSession(KernelIsa.Best, OnnxBytes.Attribute(attribute, value)));
        Assert.Contains(attribute, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [ClassData(typeof(SupportedIsas))]
    public void RowQuant_in_a_session_is_the_kernel(KernelIsa isa)
    {
        const int rows = 70, columns = 37;
        var random = new Random(6);
        var x = Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f).ToArray();
        var (quantised, magnitudes) = (new byte[x.Length], new float[rows]);
        fixed (float* source = x, m = magnitudes)
        fixed (byte* target = quantised)
            RowQuantKernel.Quantise(isa, source, 0, rows, columns, target, m);

        using var session = Session(isa, OnnxBytes.Model(
            OnnxBytes.Node("RowQuant", ["x"], ["q", "m"]),
            OnnxBytes.Input("x", OnnxBytes.Float, 2),
            OnnxBytes.Output("q", OnnxBytes.UInt8, 2),
            OnnxBytes.Output("m", OnnxBytes.Float, 2)));
        using var value = OrtValue.CreateTensorValueFromMemory(x, [rows, columns]);
        using var options = new RunOptions();
        using var results = session.Run(options, ["x"], [value], ["q", "m"]);
        Assert.Equal(quantised, results[0].GetTensorDataAsSpan<byte>());
        Assert.Equal(magnitudes, results[1].GetTensorDataAsSpan<float>());
        Assert.Equal([rows, 1], results[1].GetTensorTypeAndShape().Shape);
    }

    [Fact]
    public void A_run_allocates_no_managed_memory()
    {
        var batch = Batch();
        batch.Prepare(KernelIsa.Best, (0, 60), (1, 30));
        using var session = Session(KernelIsa.Best, Attention(), threads: 1);
        using var binding = session.CreateIoBinding();
        using var options = new RunOptions();
        var inputs = Inputs(batch, default);
        for (var i = 0; i < Names.Length; i++)
            binding.BindInput(Names[i], inputs[i]);
        binding.BindOutputToDevice("attention", OrtMemoryInfo.DefaultInstance);
        session.RunWithBinding(options, binding);

        Assert.Equal(0, AllocatedBytes(() => session.RunWithBinding(options, binding)));
        Array.ForEach(inputs, input => input.Dispose());
    }

    [Fact]
    public void Another_version_of_ONNX_Runtime_is_refused()
    {
        OrtFunctions.RequireVersion("1.31.7");
        Assert.Throws<InvalidOperationException>(() => OrtFunctions.RequireVersion("1.32.0"));
        Assert.Throws<InvalidOperationException>(() => OrtFunctions.RequireVersion("1.3"));
        Assert.Throws<InvalidOperationException>(() => OrtFunctions.RequireVersion(null));
    }

    [Fact]
    public void An_instruction_set_that_the_processor_lacks_is_refused()
    {
        using var options = new SessionOptions();
        Assert.Throws<PlatformNotSupportedException>(() => CustomOpLibrary.Register(options, (KernelIsa)99));
    }

    /// <summary>
    /// What a hundred runs of a session whose one thread is this one allocate. What a collection or the JIT adds once, by chance, is not theirs:
    /// the least of five rounds counts.
    /// </summary>
    internal static long AllocatedBytes(Action run) => Enumerable.Range(0, 5).Min(_ =>
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            run();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    });

    private static PagedBatch Batch(KvCacheFormat cache = KvCacheFormat.Fp32) => new(Shape, [61, 34], seed: 7, cache);

    private static InferenceSession AttentionSession(KernelIsa isa, params byte[][] attributes) => Session(isa, Attention(attributes));

    private static byte[] Attention(params byte[][] attributes) => OnnxBytes.Model(
    [
        OnnxBytes.Node("PagedAttention", AttentionInputs, ["attention"],
        [
            OnnxBytes.Attribute("num_heads", Shape.Heads),
            OnnxBytes.Attribute("kv_num_heads", Shape.KvHeads),
            OnnxBytes.Attribute("do_rotary", 1),
            .. attributes,
        ]),
        OnnxBytes.Input("qkv", OnnxBytes.Float, 2),
        OnnxBytes.Input("keys", OnnxBytes.Float, 4),
        OnnxBytes.Input("values", OnnxBytes.Float, 4),
        OnnxBytes.Input("cu_seqlens", OnnxBytes.Int32, 1),
        OnnxBytes.Input("past_lens", OnnxBytes.Int32, 1),
        OnnxBytes.Input("block_table", OnnxBytes.Int32, 2),
        OnnxBytes.Input("cos", OnnxBytes.Float, 2),
        OnnxBytes.Input("sin", OnnxBytes.Float, 2),
        OnnxBytes.Output("attention", OnnxBytes.Float, 2),
    ]);

    internal static InferenceSession Session(KernelIsa isa, byte[] model, int threads = 3)
    {
        using var options = new SessionOptions { IntraOpNumThreads = threads, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        CustomOpLibrary.Register(options, isa);
        return new InferenceSession(model, options);
    }

    private static float[] Run(InferenceSession session, PagedBatch batch, (string Name, long FirstDimension) altered = default)
    {
        var inputs = Inputs(batch, altered);
        try
        {
            using var options = new RunOptions();
            using var results = session.Run(options, Names, inputs, ["attention"]);
            return results[0].GetTensorDataAsSpan<float>().ToArray();
        }
        finally
        {
            Array.ForEach(inputs, input => input.Dispose());
        }
    }

    /// <summary>The step that was prepared last, in the order of <see cref="Names"/>; one tensor may be cut short.</summary>
    private static OrtValue[] Inputs(PagedBatch batch, (string Name, long FirstDimension) altered)
    {
        long[] cache = [batch.Blocks, Shape.BlockSize, Shape.KvHeads, batch.CacheWidth];
        long[] angles = [PagedBatch.Positions, Shape.HeadSize / 2];
        return
        [
            Tensor("qkv", batch.Qkv, batch.Qkv.Length / Shape.Packed, Shape.Packed),
            Tensor("keys", batch.KeyCache, cache),
            Tensor("values", batch.ValueCache, cache),
            Tensor("cu_seqlens", batch.CuSeqlens, batch.CuSeqlens.Length),
            Tensor("past_lens", batch.PastLens, batch.PastLens.Length),
            Tensor("block_table", batch.BlockTable, batch.PastLens.Length, batch.BlocksEach),
            Tensor("cos", batch.Cos, angles),
            Tensor("sin", batch.Sin, angles),
        ];

        OrtValue Tensor<T>(string name, T[] elements, params long[] shape) where T : unmanaged
        {
            shape = [name == altered.Name ? altered.FirstDimension : shape[0], .. shape[1..]];
            var length = shape.Aggregate(1L, (product, dimension) => product * dimension);
            return OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, elements.AsMemory(0, (int)length), shape);
        }
    }
}
