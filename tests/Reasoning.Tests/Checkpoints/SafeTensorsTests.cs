using System.Buffers.Binary;
using System.Text;
using CsCheck;
using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Reasoning.Tests.Checkpoints;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_written_is_read_back()
    {
        var path = _folder["a.safetensors"];
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 7], (rows, columns) => (rows, columns)).List[0, 6].Sample(
            shapes =>
            {
                var written = shapes.Select((s, i) => (
                    Name: $"t\"é{i}",
                    Shape: new long[] { s.rows, s.columns },
                    Data: Enumerable.Range(0, s.rows * s.columns).Select(x => x * 0.5f - i).ToArray())).ToList();
                SafeTensors.Write(path, written);
                var read = SafeTensors.Read(path);
                Assert.Equal(written.Select(t => t.Name).Order(), read.Names.Order());
                foreach (var (name, shape, data) in written)
                {
                    Assert.Equal(shape, read[name].Shape);
                    Assert.Equal(data, read[name].Data);
                }
            },
            iter: 50,
            threads: 1);
    }

    [Fact]
    public void A_scalar_has_an_empty_shape()
    {
        SafeTensors.Write(_folder["a"], [("x", [], [3f])]);
        var scalar = SafeTensors.Read(_folder["a"])["x"];
        Assert.Empty(scalar.Shape);
        Assert.Equal([3f], scalar.Data);
    }

    [Fact]
    public void A_tensor_longer_than_a_chunk_is_read_whole()
    {
        var data = Enumerable.Range(0, (1 << 18) + 3).Select(i => (float)i).ToArray();
        SafeTensors.Write(_folder["a"], [("x", [data.Length], data)]);
        Assert.Equal(data, SafeTensors.Read(_folder["a"])["x"].Data);
    }

    [Fact]
    public void Half_floats_and_bfloat16_are_widened()
    {
        byte[] data = new byte[8];
        BinaryPrimitives.WriteHalfLittleEndian(data, (Half)1.5f);
        BinaryPrimitives.WriteHalfLittleEndian(data.AsSpan(2), (Half)(-0.25f));
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(4), 0x3FC0);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(6), 0xC000);
        var read = SafeTensors.Read(FileOf(
            """{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]}}""", data));
        Assert.Equal([1.5f, -0.25f], read["h"].Data);
        Assert.Equal([1.5f, -2f], read["b"].Data);
    }

    [Fact]
    public void Metadata_and_padding_are_allowed() =>
        Assert.Equal(["a"], SafeTensors.Read(FileOf(
            """{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   """, new byte[4])).Names);

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8)]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0)]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0)]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}""", 0)]
    [InlineData("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0]}}""", 0)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}""", 8)]
    [InlineData("""{"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", 4)]
    [InlineData("""{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"a":[]}""", 0)]
    [InlineData("""{"a":{"dtype":"\ud800","shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"a":[[[[[[]]]]]]}""", 0)]
    [InlineData("[]", 0)]
    [InlineData("null", 0)]
    [InlineData("{", 0)]
    [InlineData("", 0)]
    public void A_file_that_contradicts_itself_is_refused(string header, int dataBytes) =>
        Assert.Throws<InvalidDataException>(() => SafeTensors.Read(FileOf(header, new byte[dataBytes])));

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 40)]
    [InlineData(3UL)]
    public void A_header_length_beyond_the_file_is_refused(ulong length)
    {
        var bytes = new byte[10];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        bytes.AsSpan(8).Fill((byte)' ');
        File.WriteAllBytes(_folder["a"], bytes);
        Assert.Throws<InvalidDataException>(() => SafeTensors.Read(_folder["a"]));
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        SafeTensors.Write(_folder["a"], [("x", [2, 2], [1, 2, 3, 4]), ("y", [1], [5])]);
        var whole = File.ReadAllBytes(_folder["a"]);
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(_folder["b"], whole[..length]);
            Assert.Throws<InvalidDataException>(() => SafeTensors.Read(_folder["b"]));
        }
    }

    [Fact]
    public void A_changed_byte_is_read_or_refused_but_never_crashes()
    {
        SafeTensors.Write(_folder["a"], [("x", [2, 2], [1, 2, 3, 4]), ("y", [1], [5])]);
        var whole = File.ReadAllBytes(_folder["a"]);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Sample(
            (position, value) =>
            {
                var changed = (byte[])whole.Clone();
                changed[position] = value;
                File.WriteAllBytes(_folder["b"], changed);
                try
                {
                    SafeTensors.Read(_folder["b"]);
                }
                catch (InvalidDataException)
                {
                }
            },
            iter: 500,
            threads: 1);
    }

    [Fact]
    public void A_failed_write_leaves_the_old_file_and_nothing_else()
    {
        SafeTensors.Write(_folder["a"], [("x", [1], [1])]);
        Assert.Throws<ArgumentException>(() => SafeTensors.Write(_folder["a"], [("x", [2], [1])]));
        Assert.Throws<ArgumentException>(() => SafeTensors.Write(_folder["a"], [("x", [1], [1]), ("x", [1], [1])]));
        Directory.CreateDirectory(_folder["taken"]);
        Assert.ThrowsAny<Exception>(() => SafeTensors.Write(_folder["taken"], [("x", [1], [2])]));
        Assert.Equal(["a", "taken"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order());
        Assert.Equal([1f], SafeTensors.Read(_folder["a"])["x"].Data);
    }

    private string FileOf(string header, byte[] data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)text.Length);
        File.WriteAllBytes(_folder["hostile"], [.. length, .. text, .. data]);
        return _folder["hostile"];
    }
}
