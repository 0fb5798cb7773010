using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace SaferGuard.Reasoning.Checkpoints;

/// <summary>A dense tensor of 32-bit floats, row-major.</summary>
public sealed record Tensor(long[] Shape, float[] Data);

/// <summary>All tensors of a small <c>.safetensors</c> file, and how such a file is written.</summary>
public sealed class SafeTensors
{
    private readonly Dictionary<string, Tensor> _tensors;

    private SafeTensors(Dictionary<string, Tensor> tensors) => _tensors = tensors;

    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    public Tensor this[string name] => _tensors[name];

    public bool TryGet(string name, out Tensor tensor) => _tensors.TryGetValue(name, out tensor!);

    /// <summary>Reads a file; F16 and BF16 tensors are widened.</summary>
    /// <exception cref="InvalidDataException">The file is not a valid safetensors file of floating-point tensors; the message says why.</exception>
    public static SafeTensors Read(string path)
    {
        var file = SafeTensorsFile.Open(path);
        return new SafeTensors(file.Names.ToDictionary(n => n, file.Read));
    }

    /// <summary>Writes 32-bit floats. The file appears whole or not at all.</summary>
    public static void Write(string path, IReadOnlyList<(string Name, long[] Shape, float[] Data)> tensors)
    {
        var header = Header(tensors);
        var temporary = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            using (var file = File.Create(temporary))
            {
                Span<byte> length = stackalloc byte[sizeof(ulong)];
                BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
                file.Write(length);
                file.Write(header);
                foreach (var (_, _, data) in tensors)
                {
                    for (var i = 0; i < data.Length; i += SafeTensorsFile.ChunkElements)
                        file.Write(MemoryMarshal.AsBytes(data.AsSpan(i, Math.Min(SafeTensorsFile.ChunkElements, data.Length - i))));
                }

                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>The header, padded with spaces so that the data start at a multiple of 8.</summary>
    private static byte[] Header(IReadOnlyList<(string Name, long[] Shape, float[] Data)> tensors)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            var names = new HashSet<string> { SafeTensorsFile.Metadata };
            long offset = 0;
            json.WriteStartObject();
            foreach (var (name, shape, data) in tensors)
            {
                if (!names.Add(name)) throw new ArgumentException($"The tensor name '{name}' is taken.", nameof(tensors));
                if (SafeTensorsFile.Elements(shape) != data.Length) throw new ArgumentException($"The shape of '{name}' does not fit its data.", nameof(tensors));
                var end = offset + (long)data.Length * sizeof(float);
                json.WriteStartObject(name);
                json.WriteString("dtype", "F32");
                json.WriteStartArray("shape");
                foreach (var size in shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                offset = end;
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }
}
