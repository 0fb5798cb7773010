using Google.Protobuf;
using Onnx;
using SaferGuard.Reasoning.Bundles;
using static Onnx.TensorProto.Types;

namespace SaferGuard.Exporter.Tests;

/// <summary>Changes to an exported graph for CUDA, so that a machine without a device can judge it.</summary>
internal static class CudaGraph
{
    private const int InputsOfOurAttention = 10;

    public static ModelProto Read(string folder) => ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(folder, BundleManifest.GraphFile)));

    /// <summary>Writes a graph with all its data inside.</summary>
    public static void Write(ModelProto model, string source, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var tensor in model.Graph.Initializer) Embed(tensor, source);
        File.WriteAllBytes(Path.Combine(folder, BundleManifest.GraphFile), model.ToByteArray());
    }

    /// <summary>
    /// The same nodes in 32-bit floats, for the CPU: constants keep their rounded values, and attention loses the parts that only tell ONNX Runtime's
    /// op where to write and how large the batch is.
    /// </summary>
    public static ModelProto InFloats(string folder)
    {
        var model = Read(folder);
        foreach (var tensor in model.Graph.Initializer)
        {
            Embed(tensor, folder);
            if (!IsHalf(tensor.DataType)) continue;
            tensor.RawData = ByteString.CopyFrom(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(Floats(tensor)));
            tensor.DataType = DataType.Float;
        }

        foreach (var value in model.Graph.Input.Concat(model.Graph.Output).Where(v => IsHalf(v.Type.TensorType.ElemType)))
            value.Type.TensorType.ElemType = DataType.Float;
        foreach (var node in model.Graph.Node.Where(n => n.OpType == "PagedAttention"))
        {
            while (node.Input.Count > InputsOfOurAttention) node.Input.RemoveAt(node.Input.Count - 1);
            while (node.Output.Count > 1) node.Output.RemoveAt(node.Output.Count - 1);
        }

        model.Graph.Input.Remove(model.Graph.Input.Single(i => i.Name == "attention_metadata"));
        foreach (var cache in model.Graph.Output.Where(o => o.Name.Contains("_cache_out_")).ToList()) model.Graph.Output.Remove(cache);
        return model;
    }

    /// <summary>The values of a constant of 16 bits, whose data is inside.</summary>
    public static float[] Floats(TensorProto tensor)
    {
        var bits = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(tensor.RawData.Span).ToArray();
        return tensor.DataType == DataType.Float16
            ? [.. bits.Select(b => (float)BitConverter.UInt16BitsToHalf(b))]
            : [.. bits.Select(b => BitConverter.UInt32BitsToSingle((uint)b << 16))];
    }

    private static bool IsHalf(DataType type) => type is DataType.Float16 or DataType.Bfloat16;

    private static void Embed(TensorProto tensor, string folder)
    {
        if (tensor.DataLocation != DataLocation.External) return;
        var where = tensor.ExternalData.ToDictionary(e => e.Key, e => e.Value);
        using var file = File.OpenRead(Path.Combine(folder, where["location"]));
        var bytes = new byte[int.Parse(where["length"])];
        file.Position = long.Parse(where["offset"]);
        file.ReadExactly(bytes);
        tensor.RawData = ByteString.CopyFrom(bytes);
        tensor.DataLocation = DataLocation.Default;
        tensor.ExternalData.Clear();
    }
}
