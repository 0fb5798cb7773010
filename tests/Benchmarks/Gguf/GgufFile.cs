using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;

namespace SaferGuard.Benchmarks.Gguf;

/// <summary>
/// A GGUF file in the making: a header of typed key-value pairs, the list of tensors, and their data, each at a multiple of 32 bytes.
/// </summary>
internal sealed class GgufFile
{
    private const uint Version = 3;
    private const int Alignment = 32;
    private const int BlockValues = 32;
    private const int BlockBytes = sizeof(ushort) + BlockValues;

    private readonly List<Action<BinaryWriter>> _fields = [];
    private readonly List<(string Name, long[] Shape, GgufType Type, float[] Data)> _tensors = [];

    /// <summary>Numbers of the value types that a field may have.</summary>
    private enum FieldType : uint
    {
        UInt32 = 4,
        Int32 = 5,
        Float32 = 6,
        Boolean = 7,
        String = 8,
        Array = 9,
    }

    public void Add(string key, int value) => Field(key, FieldType.UInt32, w => w.Write((uint)value));

    public void Add(string key, float value) => Field(key, FieldType.Float32, w => w.Write(value));

    public void Add(string key, bool value) => Field(key, FieldType.Boolean, w => w.Write(value));

    public void Add(string key, string value) => Field(key, FieldType.String, w => Text(w, value));

    public void Add(string key, IReadOnlyList<string> values) => Array(key, FieldType.String, values, Text);

    public void Add(string key, IReadOnlyList<int> values) => Array(key, FieldType.Int32, values, (w, value) => w.Write(value));

    /// <param name="shape">Row-major, as in safetensors: the last dimension is the one that lies together.</param>
    public void AddTensor(string name, long[] shape, GgufType type, float[] data)
    {
        // A row must consist of whole blocks.
        if (type == GgufType.Q8_0 && shape[^1] % BlockValues != 0) type = GgufType.F32;
        _tensors.Add((name, shape, type, data));
    }

    public void Save(string path)
    {
        using var writer = new BinaryWriter(new BufferedStream(File.Create(path), 1 << 20));
        writer.Write("GGUF"u8);
        writer.Write(Version);
        writer.Write((ulong)_tensors.Count);
        writer.Write((ulong)_fields.Count);
        foreach (var field in _fields) field(writer);

        ulong offset = 0;
        foreach (var (name, shape, type, data) in _tensors)
        {
            Text(writer, name);
            writer.Write((uint)shape.Length);
            foreach (var size in shape.Reverse()) writer.Write((ulong)size);
            writer.Write((uint)type);
            writer.Write(offset);
            offset += (ulong)Padded(Bytes(type, data.Length));
        }

        Pad(writer);
        foreach (var (_, _, type, data) in _tensors)
        {
            WriteData(writer, type, data);
            Pad(writer);
        }
    }

    private static long Bytes(GgufType type, long values) => type switch
    {
        GgufType.F32 => values * sizeof(float),
        GgufType.F16 => values * sizeof(ushort),
        _ => values / BlockValues * BlockBytes,
    };

    private static long Padded(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private static void Pad(BinaryWriter writer)
    {
        writer.Flush();
        var position = writer.BaseStream.Position;
        writer.Write(new byte[Padded(position) - position]);
    }

    private static void WriteData(BinaryWriter writer, GgufType type, float[] data)
    {
        switch (type)
        {
            case GgufType.F32:
                writer.Write(MemoryMarshal.AsBytes<float>(data));
                break;
            case GgufType.F16:
                var halves = new Half[data.Length];
                TensorPrimitives.ConvertToHalf(data, halves);
                writer.Write(MemoryMarshal.AsBytes<Half>(halves));
                break;
            default:
                for (var i = 0; i < data.Length; i += BlockValues) WriteBlock(writer, data.AsSpan(i, BlockValues));
                break;
        }
    }

    private static void WriteBlock(BinaryWriter writer, ReadOnlySpan<float> values)
    {
        var scale = MathF.Abs(TensorPrimitives.MaxMagnitude(values)) / sbyte.MaxValue;
        writer.Write((Half)scale);
        foreach (var value in values) writer.Write((sbyte)(scale == 0 ? 0 : MathF.Round(value / scale)));
    }

    private void Field(string key, FieldType type, Action<BinaryWriter> value) => _fields.Add(writer =>
    {
        Text(writer, key);
        writer.Write((uint)type);
        value(writer);
    });

    private void Array<T>(string key, FieldType type, IReadOnlyList<T> values, Action<BinaryWriter, T> write) => Field(key, FieldType.Array, writer =>
    {
        writer.Write((uint)type);
        writer.Write((ulong)values.Count);
        foreach (var value in values) write(writer, value);
    });

    private static void Text(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }
}
