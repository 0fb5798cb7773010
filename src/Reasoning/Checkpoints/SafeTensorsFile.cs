using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace SaferGuard.Reasoning.Checkpoints;

/// <summary>
/// The header of a <c>.safetensors</c> file: eight bytes with the length of a JSON header, the header, then the data of every tensor without
/// gaps. Files are untrusted: whatever contradicts itself is refused before anything is allocated for it. Tensors are read one by one, so that
/// nobody need hold a whole model.
/// </summary>
public sealed class SafeTensorsFile
{
    internal const int ChunkElements = 1 << 18;
    internal const string Metadata = "__metadata__";

    private const int MaxHeaderBytes = 16 << 20;
    private const int MaxRank = 8;

    private readonly string _path;
    private readonly long _length;
    private readonly long _dataStart;
    private readonly Dictionary<string, Entry> _entries;

    private SafeTensorsFile(string path, FileStream file)
    {
        _path = path;
        _length = file.Length;
        var header = ReadHeader(file);
        _dataStart = file.Position;
        _entries = EntriesOf(header, file.Length - file.Position);
    }

    public IReadOnlyCollection<string> Names => _entries.Keys;

    /// <exception cref="InvalidDataException">The file is not a valid safetensors file of floating-point tensors; the message says why.</exception>
    public static SafeTensorsFile Open(string path)
    {
        using var file = Stream(path);
        try
        {
            return new SafeTensorsFile(path, file);
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or EndOfStreamException or InvalidOperationException)
        {
            throw new InvalidDataException($"{Path.GetFileName(path)}: {e.Message}", e);
        }
    }

    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    public ReadOnlySpan<long> ShapeOf(string name) => _entries[name].Shape;

    /// <summary>Reads a tensor; F16 and BF16 are widened.</summary>
    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    /// <exception cref="InvalidDataException">The file has been changed since it was opened.</exception>
    public Tensor Read(string name)
    {
        var entry = _entries[name];
        using var file = Stream(_path);
        if (file.Length != _length) throw new InvalidDataException($"{Path.GetFileName(_path)} has been changed.");
        file.Position = _dataStart + entry.Start;
        return new Tensor(entry.Shape, ReadData(file, entry));
    }

    private static FileStream Stream(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);

    private static byte[] ReadHeader(FileStream file)
    {
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        file.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxHeaderBytes || (long)length > file.Length - prefix.Length)
            throw new InvalidDataException($"the header length {length} is out of range");

        var header = new byte[length];
        file.ReadExactly(header);
        return header;
    }

    private static Dictionary<string, Entry> EntriesOf(byte[] header, long dataBytes)
    {
        using var json = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 4 });
        if (json.RootElement.ValueKind != JsonValueKind.Object) throw new InvalidDataException("the header is not an object");

        var entries = json.RootElement.EnumerateObject().Where(p => p.Name != Metadata).Select(p => ReadEntry(p.Name, p.Value)).ToList();
        entries.Sort((a, b) => (a.Start, a.End).CompareTo((b.Start, b.End)));
        long position = 0;
        foreach (var entry in entries)
        {
            if (entry.Start != position) throw new InvalidDataException($"the data of '{entry.Name}' overlap others or leave a gap");
            position = entry.End;
        }

        if (position != dataBytes) throw new InvalidDataException("the tensors do not cover the data exactly");
        return entries.ToDictionary(e => e.Name);
    }

    private static Entry ReadEntry(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shapeElement) || !TryReadNumbers(shapeElement, out var shape)
            || !value.TryGetProperty("data_offsets", out var offsetsElement) || !TryReadNumbers(offsetsElement, out var offsets)
            || offsets.Length != 2)
        {
            throw new InvalidDataException($"the entry of '{name}' needs dtype, shape and two data_offsets");
        }

        var format = dtype.GetString() switch
        {
            "F32" => ElementFormat.F32,
            "F16" => ElementFormat.F16,
            "BF16" => ElementFormat.BF16,
            var other => throw new InvalidDataException($"'{name}' has the dtype {other}; F32, F16 and BF16 are supported"),
        };
        if (shape.Length > MaxRank || Elements(shape) is not { } elements || elements > Array.MaxLength)
            throw new InvalidDataException($"the shape of '{name}' is out of range");
        if (offsets[1] < offsets[0] || offsets[1] - offsets[0] != elements * BytesOf(format))
            throw new InvalidDataException($"the data_offsets of '{name}' do not fit its shape");
        return new Entry(name, format, shape, (int)elements, offsets[0], offsets[1]);
    }

    /// <summary>Reads an array of integers that are not negative.</summary>
    private static bool TryReadNumbers(JsonElement array, out long[] numbers)
    {
        numbers = [];
        if (array.ValueKind != JsonValueKind.Array) return false;
        numbers = new long[array.GetArrayLength()];
        var i = 0;
        foreach (var element in array.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out numbers[i]) || numbers[i] < 0) return false;
            i++;
        }

        return true;
    }

    /// <summary>Number of elements, or null where it overflows.</summary>
    internal static long? Elements(ReadOnlySpan<long> shape)
    {
        long elements = 1;
        foreach (var size in shape)
        {
            var product = Math.BigMul(elements, size, out var low);
            if (product != 0 || low < 0) return null;
            elements = low;
        }

        return elements;
    }

    private static float[] ReadData(FileStream file, Entry entry)
    {
        var data = new float[entry.Elements];
        var chunk = entry.Format == ElementFormat.F32 ? [] : new byte[Math.Min(ChunkElements, data.Length) * BytesOf(entry.Format)];
        for (var i = 0; i < data.Length; i += ChunkElements)
        {
            var target = data.AsSpan(i, Math.Min(ChunkElements, data.Length - i));
            if (entry.Format == ElementFormat.F32)
            {
                file.ReadExactly(MemoryMarshal.AsBytes(target));
                continue;
            }

            var source = chunk.AsSpan(0, target.Length * BytesOf(entry.Format));
            file.ReadExactly(source);
            if (entry.Format == ElementFormat.F16) TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), target);
            else WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(source), target);
        }

        return data;
    }

    /// <summary>A bfloat16 is the upper half of a float.</summary>
    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<float> target)
    {
        for (var i = 0; i < source.Length; i++) target[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
    }

    private static int BytesOf(ElementFormat format) => format == ElementFormat.F32 ? 4 : 2;

    private enum ElementFormat
    {
        F32,
        F16,
        BF16,
    }

    /// <param name="Start">First byte of the data, counted from the end of the header.</param>
    private sealed record Entry(string Name, ElementFormat Format, long[] Shape, int Elements, long Start, long End);
}
