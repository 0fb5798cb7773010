using static SaferGuard.Exporter.OnnxGraph;
using DataType = Onnx.TensorProto.Types.DataType;

namespace SaferGuard.Exporter;

/// <summary>The matrix products of a transformer.</summary>
internal enum Linear
{
    NgramProjection,
    QueryKeyValue,
    AttentionOutput,
    GateUp,
    Down,
    Head,
}

/// <summary>Rows that go into a product: floats, or bytes with the rows' magnitudes (T, 1) where an op gives them so.</summary>
internal readonly record struct Activation(string? Floats, string? Bytes = null, string? Magnitudes = null);

/// <summary>A product as it comes, and what is left to be done to it: its rows multiplied by magnitudes (T, 1), and a bias added.</summary>
internal readonly record struct Product(string Name, string Raw, string? Magnitudes, string? Bias);

/// <summary>Adds matrix products and table look-ups in the format of the bundle. Weights are (outputs, inputs).</summary>
internal sealed class GraphLinears(OnnxGraph graph, WeightFormat format)
{
    private const string ActivationScale = "activation_scale";
    private const string ActivationZero = "activation_zero";

    private readonly bool _hasFloatTables = format is WeightFormat.Fp32 or WeightFormat.Fp16 or WeightFormat.Bf16;
    private bool _hasActivationConstants;

    /// <summary>
    /// The format of each product: the one place to choose it. The projection of the n-grams is too small to gain anything, and the head reads
    /// the same bytes as the embedding, which keeps 8 bits.
    /// </summary>
    private WeightFormat FormatOf(Linear linear) => (format, linear) switch
    {
        (WeightFormat.Fp16 or WeightFormat.Bf16, _) => format,
        (_, Linear.NgramProjection) => WeightFormat.Fp32,
        (WeightFormat.Int4, Linear.Head) => WeightFormat.Int8,
        _ => format,
    };

    public bool IsInt8(Linear linear) => FormatOf(linear) == WeightFormat.Int8;

    /// <summary><c>x · weightsᵀ + bias</c></summary>
    /// <param name="name">Name of the result, and prefix of the names of what is added.</param>
    /// <param name="inputs">Columns of <paramref name="weights"/>.</param>
    public Product Multiply(Linear linear, string name, Activation x, float[] weights, int inputs, float[]? biases = null)
    {
        var outputs = weights.Length / inputs;
        var bias = biases is null ? null : graph.Constant<float>($"{name}.bias", [outputs], biases);
        var raw = bias is null ? name : $"{name}.product";
        switch (FormatOf(linear))
        {
            case WeightFormat.Fp32:
                var transposed = graph.Constant<float>($"{name}.weight", [inputs, outputs], Quantiser.Transpose<float>(weights, inputs));
                return new Product(name, graph.Node("MatMul", raw, [x.Floats!, transposed]), null, bias);

            case WeightFormat.Fp16 or WeightFormat.Bf16:
                return new Product(name, MultiplyTransposed(raw, x, graph.Constant<float>($"{name}.weight", [outputs, inputs], weights)), null, bias);

            case WeightFormat.Int8:
                var (values, scales) = Quantiser.PerRow(weights, inputs);
                return MultiplyInt8(
                    name,
                    x,
                    graph.Constant<sbyte>($"{name}.weight", [inputs, outputs], Quantiser.Transpose<sbyte>(values, inputs)),
                    graph.Constant<float>($"{name}.scale", [outputs], scales),
                    bias);

            default:
                var (blocks, blockScales) = Quantiser.PerBlock(weights, inputs);
                var perRow = Quantiser.BlocksOf(inputs);
                graph.Node(
                    $"{MicrosoftDomain}.MatMulNBits",
                    raw,
                    [
                        x.Floats!,
                        graph.Constant<byte>($"{name}.weight", [outputs, perRow, Quantiser.BlockSize / 2], blocks),
                        graph.Constant<float>($"{name}.scale", [outputs * perRow], blockScales),
                    ],
                    Attribute("K", inputs),
                    Attribute("N", outputs),
                    Attribute("bits", 4),
                    Attribute("block_size", Quantiser.BlockSize),
                    Attribute("accuracy_level", 4));
                return new Product(name, raw, null, bias);
        }
    }

    /// <summary>Does what is left to be done to a product.</summary>
    public string Finish(Product product)
    {
        var (name, result, magnitudes, bias) = product;
        if (magnitudes is not null) result = graph.Node("Mul", bias is null ? name : $"{name}.scaled", [result, magnitudes]);
        return bias is null ? result : graph.Node("Add", name, [result, bias]);
    }

    /// <summary>Adds a table whose rows <see cref="LookUp"/> and <see cref="MultiplyByTable"/> read: float, or 8 bits with a scale per row.</summary>
    public void Table(string name, float[] table, int columns)
    {
        var rows = table.Length / columns;
        if (_hasFloatTables)
        {
            graph.Constant<float>($"{name}.weight", [rows, columns], table);
            return;
        }

        var (values, scales) = Quantiser.PerRow(table, columns);
        graph.Constant<sbyte>($"{name}.weight", [rows, columns], values);
        graph.Constant<float>($"{name}.scale", [rows, 1], scales);
    }

    /// <summary>Rows of a table: ids (…) → (…, columns).</summary>
    public string LookUp(string table, string ids)
    {
        var rows = graph.Node("Gather", $"{table}.rows", [$"{table}.weight", ids]);
        if (_hasFloatTables) return rows;
        var floats = graph.Node("Cast", $"{table}.floats", [rows], Attribute("to", (long)DataType.Float));
        return graph.Node("Mul", table, [floats, graph.Node("Gather", $"{table}.row_scales", [$"{table}.scale", ids])]);
    }

    /// <summary><c>x · tableᵀ</c>, with the bytes of the table; ONNX Runtime transposes them once, when it loads the model.</summary>
    public string MultiplyByTable(string name, Activation x, string table)
    {
        if (FormatOf(Linear.Head) is WeightFormat.Fp16 or WeightFormat.Bf16) return MultiplyTransposed(name, x, $"{table}.weight");
        var weight = graph.Node("Transpose", $"{name}.weight", [$"{table}.weight"], Attribute("perm", 1, 0));
        return IsInt8(Linear.Head)
            ? Finish(MultiplyInt8(name, x, weight, graph.Node("Squeeze", $"{name}.scale", [$"{table}.scale"]), null))
            : graph.Node("MatMul", name, [x.Floats!, weight]);
    }

    /// <summary><c>x · weightᵀ</c> as cuBLAS likes it best, and without a second copy of a table.</summary>
    private string MultiplyTransposed(string name, Activation x, string weight) =>
        graph.Node($"{MicrosoftDomain}.FusedMatMul", name, [x.Floats!, weight], Attribute("transB", 1));

    /// <summary>
    /// Each token's activations are bytes around 128 and the largest magnitude, so that a token's result never depends on the others of its batch
    /// (as it would with <c>DynamicQuantizeMatMul</c>). What gives floats has them quantised by <c>RowQuant</c>.
    /// </summary>
    private Product MultiplyInt8(string name, Activation x, string weight, string scale, string? bias)
    {
        if (!_hasActivationConstants)
        {
            graph.Constant<float>(ActivationScale, [], [1f / 127]);
            graph.Constant<byte>(ActivationZero, [], [128]);
            _hasActivationConstants = true;
        }

        var (_, bytes, magnitudes) = x;
        if (bytes is null || magnitudes is null)
        {
            (bytes, magnitudes) = ($"{name}.bytes", $"{name}.largest");
            graph.Node($"{MicrosoftDomain}.RowQuant", [bytes, magnitudes], [x.Floats!]);
        }

        var product = graph.Node(
            $"{MicrosoftDomain}.MatMulIntegerToFloat", $"{name}.product", [bytes, weight, ActivationScale, scale, ActivationZero]);
        return new Product(name, product, magnitudes, bias);
    }
}
