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

    /// <summary><c>x · weightsᵀ</c></summary>
    /// <param name="name">Name of the result, and prefix of the names of what is added.</param>
    /// <param name="inputs">Columns of <paramref name="weights"/>.</param>
    public string Multiply(Linear linear, string name, string x, float[] weights, int inputs)
    {
        var outputs = weights.Length / inputs;
        switch (FormatOf(linear))
        {
            case WeightFormat.Fp32:
                var transposed = graph.Constant<float>($"{name}.weight", [inputs, outputs], Quantiser.Transpose<float>(weights, inputs));
                return graph.Node("MatMul", name, [x, transposed]);

            case WeightFormat.Fp16 or WeightFormat.Bf16:
                return MultiplyTransposed(name, x, graph.Constant<float>($"{name}.weight", [outputs, inputs], weights));

            case WeightFormat.Int8:
                var (values, scales) = Quantiser.PerRow(weights, inputs);
                return MultiplyInt8(
                    name,
                    x,
                    graph.Constant<sbyte>($"{name}.weight", [inputs, outputs], Quantiser.Transpose<sbyte>(values, inputs)),
                    graph.Constant<float>($"{name}.scale", [outputs], scales));

            default:
                var (blocks, blockScales) = Quantiser.PerBlock(weights, inputs);
                var perRow = Quantiser.BlocksOf(inputs);
                return graph.Node(
                    $"{MicrosoftDomain}.MatMulNBits",
                    name,
                    [
                        x,
                        graph.Constant<byte>($"{name}.weight", [outputs, perRow, Quantiser.BlockSize / 2], blocks),
                        graph.Constant<float>($"{name}.scale", [outputs * perRow], blockScales),
                    ],
                    Attribute("K", inputs),
                    Attribute("N", outputs),
                    Attribute("bits", 4),
                    Attribute("block_size", Quantiser.BlockSize),
                    Attribute("accuracy_level", 4));
        }
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
    public string MultiplyByTable(string name, string x, string table)
    {
        if (FormatOf(Linear.Head) is WeightFormat.Fp16 or WeightFormat.Bf16) return MultiplyTransposed(name, x, $"{table}.weight");
        var weight = graph.Node("Transpose", $"{name}.weight", [$"{table}.weight"], Attribute("perm", 1, 0));
        return FormatOf(Linear.Head) == WeightFormat.Fp32
            ? graph.Node("MatMul", name, [x, weight])
            : MultiplyInt8(name, x, weight, graph.Node("Squeeze", $"{name}.scale", [$"{table}.scale"]));
    }

    /// <summary><c>x · weightᵀ</c> as cuBLAS likes it best, and without a second copy of a table.</summary>
    private string MultiplyTransposed(string name, string x, string weight) =>
        graph.Node($"{MicrosoftDomain}.FusedMatMul", name, [x, weight], Attribute("transB", 1));

    /// <summary>
    /// <c>RowQuant</c> turns each token's activations into bytes around 128 and the largest magnitude, so that a token's result never depends
    /// on the others of its batch (as it would with <c>DynamicQuantizeMatMul</c>).
    /// </summary>
    private string MultiplyInt8(string name, string x, string weight, string scale)
    {
        if (!_hasActivationConstants)
        {
            graph.Constant<float>(ActivationScale, [], [1f / 127]);
            graph.Constant<byte>(ActivationZero, [], [128]);
            _hasActivationConstants = true;
        }

        graph.Node($"{MicrosoftDomain}.RowQuant", [$"{name}.bytes", $"{name}.largest"], [x]);
        var product = graph.Node(
            $"{MicrosoftDomain}.MatMulIntegerToFloat", $"{name}.product", [$"{name}.bytes", weight, ActivationScale, scale, ActivationZero]);
        return graph.Node("Mul", name, [product, $"{name}.largest"]);
    }
}
