using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Onnx;
using SaferGuard.Reasoning.Engine.Kernels;
using static Onnx.AttributeProto.Types;
using static Onnx.TensorProto.Types;
using static Onnx.TensorShapeProto.Types;

namespace SaferGuard.Exporter;

/// <summary>
/// Builds an ONNX model node by node. Small constants stay in the model; the others go to <paramref name="weights"/> as they come, each at a
/// multiple of the page size, so that ONNX Runtime can map the file.
/// </summary>
/// <param name="name">Name of the graph.</param>
/// <param name="weights">Receives the external data.</param>
/// <param name="weightsFile">Name of that file, relative to the model's.</param>
/// <param name="floats">The type of all floats of the graph; constants are rounded to it.</param>
internal sealed class OnnxGraph(string name, Stream weights, string weightsFile, DataType floats = DataType.Float)
{
    public const string MicrosoftDomain = "com.microsoft";

    private const int IrVersion = 10;
    private const int OpsetVersion = 21;
    private const int MicrosoftOpsetVersion = 1;
    private const int OwnOpsetVersion = 1;
    private const int InlineBytes = 1024;
    private const int PageBytes = 4096;

    /// <summary>A large table has more bytes than a span can.</summary>
    private const int ChunkElements = 1 << 20;

    private readonly GraphProto _graph = new() { Name = name };

    /// <summary>The type of all floats of the graph.</summary>
    public DataType Floats => floats;

    /// <param name="dimensions">Sizes, or names of sizes that vary.</param>
    public string Input(string name, DataType type, params Dimension[] dimensions)
    {
        _graph.Input.Add(Value(name, type, dimensions));
        return name;
    }

    /// <inheritdoc cref="Input"/>
    public void Output(string name, DataType type, params Dimension[] dimensions) => _graph.Output.Add(Value(name, type, dimensions));

    public static Dimension Size(long value) => new() { DimValue = value };

    public static Dimension Size(string parameter) => new() { DimParam = parameter };

    public string Constant<T>(string name, ReadOnlySpan<long> shape, ReadOnlySpan<T> data)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float) && floats != DataType.Float)
            return Store<ushort>(name, floats, shape, HalfFloats.Round(MemoryMarshal.Cast<T, float>(data), floats));
        return Store(name, TypeOf<T>(), shape, data);
    }

    /// <summary>Adds a node with one output.</summary>
    /// <param name="op">Operator name, with its domain before it where that is not ONNX's own.</param>
    public string Node(string op, string output, string[] inputs, params AttributeProto[] attributes)
    {
        Node(op, [output], inputs, attributes);
        return output;
    }

    /// <summary>Adds a node. An empty name leaves an optional input or output out.</summary>
    /// <inheritdoc cref="Node(string, string, string[], AttributeProto[])"/>
    public void Node(string op, string[] outputs, string[] inputs, params AttributeProto[] attributes)
    {
        var dot = op.LastIndexOf('.');
        var node = new NodeProto { OpType = op[(dot + 1)..], Domain = dot < 0 ? "" : op[..dot], Name = $"{outputs[0]}/{op[(dot + 1)..]}" };
        node.Input.Add(inputs);
        node.Output.Add(outputs);
        node.Attribute.Add(attributes);
        _graph.Node.Add(node);
    }

    public static AttributeProto Attribute(string name, long value) => new() { Name = name, Type = AttributeType.Int, I = value };

    public static AttributeProto Attribute(string name, float value) => new() { Name = name, Type = AttributeType.Float, F = value };

    public static AttributeProto Attribute(string name, params long[] values) =>
        new() { Name = name, Type = AttributeType.Ints, Ints = { values } };

    /// <summary>Writes the model; its external data must be kept beside it.</summary>
    public void Save(Stream model) => new ModelProto
    {
        IrVersion = IrVersion,
        ProducerName = "SaferGuard",
        Graph = _graph,
        OpsetImport =
        {
            new OperatorSetIdProto { Version = OpsetVersion },
            new OperatorSetIdProto { Domain = MicrosoftDomain, Version = MicrosoftOpsetVersion },
            new OperatorSetIdProto { Domain = CustomOpLibrary.OwnDomain, Version = OwnOpsetVersion },
        },
    }.WriteTo(model);

    private static ValueInfoProto Value(string name, DataType type, Dimension[] dimensions) => new()
    {
        Name = name,
        Type = new TypeProto { TensorType = new() { ElemType = type, Shape = new TensorShapeProto { Dim = { dimensions } } } },
    };

    private static DataType TypeOf<T>() => default(T) switch
    {
        float => DataType.Float,
        byte => DataType.Uint8,
        sbyte => DataType.Int8,
        int => DataType.Int32,
        long => DataType.Int64,
        _ => throw new NotSupportedException($"{typeof(T)} is not an element type of the exporter."),
    };

    private string Store<T>(string name, DataType type, ReadOnlySpan<long> shape, ReadOnlySpan<T> data)
        where T : unmanaged
    {
        var tensor = new TensorProto { Name = name, DataType = type };
        foreach (var size in shape) tensor.Dims.Add(size);
        if ((long)data.Length * Unsafe.SizeOf<T>() < InlineBytes) tensor.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(data));
        else StoreExternally(tensor, data);
        _graph.Initializer.Add(tensor);
        return name;
    }

    private void StoreExternally<T>(TensorProto tensor, ReadOnlySpan<T> data)
        where T : unmanaged
    {
        var padding = (int)(-weights.Position & (PageBytes - 1));
        weights.Write(new byte[padding]);
        tensor.DataLocation = DataLocation.External;
        Entry("location", weightsFile);
        Entry("offset", weights.Position.ToString(CultureInfo.InvariantCulture));
        Entry("length", ((long)data.Length * Unsafe.SizeOf<T>()).ToString(CultureInfo.InvariantCulture));
        for (var i = 0; i < data.Length; i += ChunkElements)
            weights.Write(MemoryMarshal.AsBytes(data.Slice(i, Math.Min(ChunkElements, data.Length - i))));

        void Entry(string key, string value) => tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
    }
}
