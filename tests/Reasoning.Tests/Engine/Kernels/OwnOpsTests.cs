using Microsoft.ML.OnnxRuntime;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

/// <summary>The ops between int8 products inside ONNX Runtime, on its threads.</summary>
public sealed unsafe class OwnOpsTests
{
    private const int Columns = 37;

    private static readonly HeadShape Shape = new(6, 2, 32, 16);

    private static readonly string[] AttentionInputs =
        ["product", "magnitudes", "keys", "values", "cu_seqlens", "past_lens", "block_table", "cos", "sin", "bias"];

    private static readonly byte[] AttentionModel = OnnxBytes.Model(
        OnnxBytes.Node(
            "saferguard.QuantPagedAttention", AttentionInputs, ["attention", "bytes", "largest"],
            OnnxBytes.Attribute("num_heads", Shape.Heads), OnnxBytes.Attribute("kv_num_heads", Shape.KvHeads)),
        OnnxBytes.Input("product", OnnxBytes.Float, 2),
        OnnxBytes.Input("magnitudes", OnnxBytes.Float, 2),
        OnnxBytes.Input("keys", OnnxBytes.Float, 4),
        OnnxBytes.Input("values", OnnxBytes.Float, 4),
        OnnxBytes.Input("cu_seqlens", OnnxBytes.Int32, 1),
        OnnxBytes.Input("past_lens", OnnxBytes.Int32, 1),
        OnnxBytes.Input("block_table", OnnxBytes.Int32, 2),
        OnnxBytes.Input("cos", OnnxBytes.Float, 2),
        OnnxBytes.Input("sin", OnnxBytes.Float, 2),
        OnnxBytes.Input("bias", OnnxBytes.Float, 1),
        OnnxBytes.Output("attention", OnnxBytes.Float, 2),
        OnnxBytes.Output("bytes", OnnxBytes.UInt8, 2),
        OnnxBytes.Output("largest", OnnxBytes.Float, 2));

    private static readonly byte[] NormModel = OnnxBytes.Model(
        OnnxBytes.Node(
            "saferguard.AddNormQuant", ["product", "magnitudes", "residual", "weight"], ["sum", "bytes", "largest"], OnnxBytes.Attribute("epsilon", 1e-5f)),
        OnnxBytes.Input("product", OnnxBytes.Float, 2),
        OnnxBytes.Input("magnitudes", OnnxBytes.Float, 2),
        OnnxBytes.Input("residual", OnnxBytes.Float, 2),
        OnnxBytes.Input("weight", OnnxBytes.Float, 1),
        OnnxBytes.Output("sum", OnnxBytes.Float, 2),
        OnnxBytes.Output("bytes", OnnxBytes.UInt8, 2),
        OnnxBytes.Output("largest", OnnxBytes.Float, 2));

    private static readonly byte[] SwiGluModel = OnnxBytes.Model(
        OnnxBytes.Node("saferguard.SwiGluQuant", ["product", "magnitudes"], ["bytes", "largest"]),
        OnnxBytes.Input("product", OnnxBytes.Float, 2),
        OnnxBytes.Input("magnitudes", OnnxBytes.Float, 2),
        OnnxBytes.Output("bytes", OnnxBytes.UInt8, 2),
        OnnxBytes.Output("largest", OnnxBytes.Float, 2));

    [Theory]
    [ClassData(typeof(SupportedIsas))]
    public void QuantPagedAttention_gives_the_attention_of_the_finished_product_and_its_bytes(KernelIsa isa)
    {
        var (raw, finished) = (new PagedBatch(Shape, [61, 34], seed: 7), new PagedBatch(Shape, [61, 34], seed: 7));
        var bias = Floats(Shape.Packed, seed: 1);
        for (var sequence = 0; sequence < 2; sequence++)
            finished.Sequences[sequence] = [.. finished.Sequences[sequence].Select((x, i) => (x * 0.75f) + bias[i % Shape.Packed])];
        using var session = CustomOpLibraryTests.Session(isa, AttentionModel);
        foreach (var step in (List<(int, int)[]>)[[(0, 60), (1, 3)], [(0, 1), (1, 30)], [(1, 1)]])
        {
            finished.Run(isa, step);
            raw.Prepare(isa, step);
            using var results = Run(session, AttentionInputsOf(raw, bias), "attention", "bytes", "largest");
            Assert.Equal(finished.Output, results[0].GetTensorDataAsSpan<float>());
            var (bytes, largest) = RowQuant(isa, finished.Output, Shape.Heads * Shape.HeadSize);
            Assert.Equal(bytes, results[1].GetTensorDataAsSpan<byte>());
            Assert.Equal(largest, results[2].GetTensorDataAsSpan<float>());
        }
    }

    [Fact]
    public void A_row_gets_the_same_bits_alone_and_among_others()
    {
        using var norm = CustomOpLibraryTests.Session(KernelIsa.Best, NormModel);
        using var swiGlu = CustomOpLibraryTests.Session(KernelIsa.Best, SwiGluModel);
        using var normTogether = Run(norm, NormInputs(0, 70), "sum", "bytes", "largest");
        using var swiGluTogether = Run(swiGlu, SwiGluInputs(0, 70), "bytes", "largest");
        for (var row = 0; row < 70; row++)
        {
            using var normAlone = Run(norm, NormInputs(row, 1), "sum", "bytes", "largest");
            Assert.Equal(normTogether[0].GetTensorDataAsSpan<float>().Slice(row * Columns, Columns), normAlone[0].GetTensorDataAsSpan<float>());
            Assert.Equal(normTogether[1].GetTensorDataAsSpan<byte>().Slice(row * Columns, Columns), normAlone[1].GetTensorDataAsSpan<byte>());
            Assert.Equal(normTogether[2].GetTensorDataAsSpan<float>()[row], normAlone[2].GetTensorDataAsSpan<float>()[0]);
            using var swiGluAlone = Run(swiGlu, SwiGluInputs(row, 1), "bytes", "largest");
            Assert.Equal(swiGluTogether[0].GetTensorDataAsSpan<byte>().Slice(row * Columns, Columns), swiGluAlone[0].GetTensorDataAsSpan<byte>());
            Assert.Equal(swiGluTogether[1].GetTensorDataAsSpan<float>()[row], swiGluAlone[1].GetTensorDataAsSpan<float>()[0]);
        }
    }

    [Fact]
    public void A_batch_without_rows_runs()
    {
        using var norm = CustomOpLibraryTests.Session(KernelIsa.Best, NormModel);
        using var results = Run(norm, NormInputs(0, 0), "sum", "bytes", "largest");
        Assert.Equal([0, Columns], results[1].GetTensorTypeAndShape().Shape);
    }

    [Theory]
    [InlineData("magnitudes")]
    [InlineData("residual")]
    [InlineData("weight")]
    public void Tensors_that_do_not_fit_each_other_are_refused(string name)
    {
        using var norm = CustomOpLibraryTests.Session(KernelIsa.Best, NormModel);
        var inputs = NormInputs(0, 20);
        inputs[name] = NormInputs(0, 19)[name == "weight" ? "magnitudes" : name];
        var exception = Assert.Throws<OnnxRuntimeException>(() => Run(norm, inputs, "sum", "bytes", "largest"));
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Magnitudes_or_a_bias_that_do_not_fit_the_heads_are_refused()
    {
        var batch = new PagedBatch(Shape, [20], seed: 1);
        batch.Prepare(KernelIsa.Best, (0, 20));
        using var session = CustomOpLibraryTests.Session(KernelIsa.Best, AttentionModel);
        var inputs = AttentionInputsOf(batch, Floats(Shape.Packed - 1, seed: 1));
        Assert.Contains("bias", Assert.Throws<OnnxRuntimeException>(() => Run(session, inputs, "attention")).Message, StringComparison.Ordinal);
        inputs = AttentionInputsOf(batch, Floats(Shape.Packed, seed: 1));
        inputs["magnitudes"] = Tensor(Floats(19, seed: 1), 19, 1);
        Assert.Contains("magnitudes", Assert.Throws<OnnxRuntimeException>(() => Run(session, inputs, "attention")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gates_without_as_many_others_are_refused()
    {
        using var session = CustomOpLibraryTests.Session(KernelIsa.Best, SwiGluModel);
        Dictionary<string, OrtValue> inputs = new() { ["product"] = Tensor(new float[9], 1, 9), ["magnitudes"] = Tensor(new float[1], 1, 1) };
        Assert.Throws<OnnxRuntimeException>(() => Run(session, inputs, "bytes", "largest"));
    }

    [Fact]
    public void A_run_allocates_no_managed_memory()
    {
        var batch = new PagedBatch(Shape, [60, 30], seed: 7);
        batch.Prepare(KernelIsa.Best, (0, 60), (1, 30));
        foreach (var (model, inputs, outputs) in (List<(byte[], Dictionary<string, OrtValue>, string[])>)
            [
                (AttentionModel, AttentionInputsOf(batch, Floats(Shape.Packed, seed: 1)), ["attention", "bytes", "largest"]),
                (NormModel, NormInputs(0, 70), ["sum", "bytes", "largest"]),
                (SwiGluModel, SwiGluInputs(0, 70), ["bytes", "largest"]),
            ])
        {
            using var session = CustomOpLibraryTests.Session(KernelIsa.Best, model, threads: 1);
            using var binding = session.CreateIoBinding();
            using var options = new RunOptions();
            foreach (var (name, value) in inputs) binding.BindInput(name, value);
            foreach (var name in outputs) binding.BindOutputToDevice(name, OrtMemoryInfo.DefaultInstance);
            session.RunWithBinding(options, binding);

            Assert.Equal(0, CustomOpLibraryTests.AllocatedBytes(() => session.RunWithBinding(options, binding)));
            foreach (var value in inputs.Values) value.Dispose();
        }
    }

    private static Dictionary<string, OrtValue> AttentionInputsOf(PagedBatch batch, float[] bias)
    {
        var tokens = batch.Qkv.Length / Shape.Packed;
        long[] cache = [batch.Blocks, Shape.BlockSize, Shape.KvHeads, batch.CacheWidth];
        return new()
        {
            ["product"] = Tensor(batch.Qkv, tokens, Shape.Packed),
            ["magnitudes"] = Tensor(Enumerable.Repeat(0.75f, tokens).ToArray(), tokens, 1),
            ["keys"] = Tensor(batch.KeyCache, cache),
            ["values"] = Tensor(batch.ValueCache, cache),
            ["cu_seqlens"] = Tensor(batch.CuSeqlens, batch.CuSeqlens.Length),
            ["past_lens"] = Tensor(batch.PastLens, batch.PastLens.Length),
            ["block_table"] = Tensor(batch.BlockTable, batch.PastLens.Length, batch.BlocksEach),
            ["cos"] = Tensor(batch.Cos, PagedBatch.Positions, Shape.HeadSize / 2),
            ["sin"] = Tensor(batch.Sin, PagedBatch.Positions, Shape.HeadSize / 2),
            ["bias"] = Tensor(bias, bias.Length),
        };
    }

    private static Dictionary<string, OrtValue> NormInputs(int first, int rows) => new()
    {
        ["product"] = Tensor(Floats(70 * Columns, seed: 1)[(first * Columns)..((first + rows) * Columns)], rows, Columns),
        ["magnitudes"] = Tensor(Floats(70, seed: 2)[first..(first + rows)], rows, 1),
        ["residual"] = Tensor(Floats(70 * Columns, seed: 3)[(first * Columns)..((first + rows) * Columns)], rows, Columns),
        ["weight"] = Tensor(Floats(Columns, seed: 4), Columns),
    };

    private static Dictionary<string, OrtValue> SwiGluInputs(int first, int rows) => new()
    {
        ["product"] = Tensor(Floats(70 * 2 * Columns, seed: 1)[(first * 2 * Columns)..((first + rows) * 2 * Columns)], rows, 2 * Columns),
        ["magnitudes"] = Tensor(Floats(70, seed: 2)[first..(first + rows)], rows, 1),
    };

    private static float[] Floats(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 4) - 2)];
    }

    private static OrtValue Tensor<T>(T[] elements, params long[] shape) where T : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, elements.AsMemory(), shape);

    private static IDisposableReadOnlyCollection<OrtValue> Run(InferenceSession session, Dictionary<string, OrtValue> inputs, params string[] outputs)
    {
        using var options = new RunOptions();
        return session.Run(options, inputs.Keys, inputs.Values, outputs);
    }

    private static (byte[] Bytes, float[] Largest) RowQuant(KernelIsa isa, float[] x, int columns)
    {
        var (bytes, largest) = (new byte[x.Length], new float[x.Length / columns]);
        fixed (float* source = x, m = largest)
        fixed (byte* target = bytes)
            RowQuantKernel.Quantise(isa, source, 0, x.Length / columns, columns, target, m);
        return (bytes, largest);
    }
}
