using System.Text;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

/// <summary>
/// Just enough of ONNX's protobuf messages to write a graph of a few nodes without weights: a message is its fields' bytes, one after
/// another. Field numbers are those of onnx.proto.
/// </summary>
internal static class OnnxBytes
{
    public const int Float = 1;
    public const int UInt8 = 2;
    public const int Int32 = 6;

    public static byte[] Model(params byte[][] graph) =>
    [
        .. Number(1, 10),
        .. Message(7, [.. Text(2, "test"), .. graph.SelectMany(part => part)]),
        .. Opset("", 21),
        .. Opset("com.microsoft", 1),
        .. Opset("saferguard", 1),
    ];

    /// <param name="op">With its domain before it, where that is not com.microsoft.</param>
    public static byte[] Node(string op, string[] inputs, string[] outputs, params byte[][] attributes) => Message(1,
    [
        .. inputs.SelectMany(name => Text(1, name)),
        .. outputs.SelectMany(name => Text(2, name)),
        .. Text(4, op[(op.LastIndexOf('.') + 1)..]),
        .. attributes.SelectMany(attribute => attribute),
        .. Text(7, op.Contains('.') ? op[..op.LastIndexOf('.')] : "com.microsoft"),
    ]);

    public static byte[] Attribute(string name, long value) => Message(5, [.. Text(1, name), .. Number(3, value), .. Number(20, 2)]);

    public static byte[] Attribute(string name, float value) =>
        Message(5, [.. Text(1, name), (2 << 3) | 5, .. BitConverter.GetBytes(value), .. Number(20, 1)]);

    public static byte[] Input(string name, int type, int rank) => Value(11, name, type, rank);

    public static byte[] Output(string name, int type, int rank) => Value(12, name, type, rank);

    private static byte[] Value(int field, string name, int type, int rank)
    {
        byte[] shape = [.. Enumerable.Range(0, rank).SelectMany(i => Message(1, Text(2, $"{name}{i}")))];
        return Message(field, [.. Text(1, name), .. Message(2, Message(1, [.. Number(1, type), .. Message(2, shape)]))]);
    }

    private static byte[] Opset(string domain, long version) => Message(8, [.. Text(1, domain), .. Number(2, version)]);

    private static byte[] Text(int field, string text) => Message(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Message(int field, byte[] bytes) => [.. Varint((field << 3) | 2), .. Varint(bytes.Length), .. bytes];

    private static byte[] Number(int field, long value) => [.. Varint(field << 3), .. Varint(value)];

    private static List<byte> Varint(long value)
    {
        var bytes = new List<byte>();
        for (var left = (ulong)value; ; left >>= 7)
        {
            if (left < 0x80)
                return [.. bytes, (byte)left];
            bytes.Add((byte)(left | 0x80));
        }
    }
}
