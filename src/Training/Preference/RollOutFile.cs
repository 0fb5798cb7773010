using SaferGuard.Training.Data;

namespace SaferGuard.Training.Preference;

/// <summary>The sampled traces of each row, one row a line, in the order in which they were finished. Grows; a line that was cut off is taken back.</summary>
internal sealed class RollOutFile : IDisposable
{
    private readonly StreamWriter _writer;
    private readonly Dictionary<string, RowSamples> _samples;

    /// <summary>Opens a file, or begins one.</summary>
    /// <exception cref="InvalidDataException">A line before the last one is not a row's samples.</exception>
    public RollOutFile(string path)
    {
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            stream.SetLength(WholeLines(stream));
            stream.Position = 0;
            _samples = JsonLines.Read<RowSamples>(stream, path).ToDictionary(s => s.Row);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{path}: a row is there twice. {e.Message}", e);
        }
        catch
        {
            stream.Dispose();
            throw;
        }

        _writer = new StreamWriter(new FileStream(path, FileMode.Append)) { AutoFlush = true, NewLine = "\n" };
    }

    public IReadOnlyDictionary<string, RowSamples> Samples => _samples;

    /// <summary>May be called from several threads.</summary>
    public void Add(RowSamples samples)
    {
        lock (_samples)
        {
            _samples.Add(samples.Row, samples);
            _writer.WriteLine(JsonLines.Write(samples));
        }
    }

    public void Dispose() => _writer.Dispose();

    /// <summary>Bytes up to and with the last end of a line.</summary>
    private static long WholeLines(FileStream stream)
    {
        for (var end = stream.Length; end > 0; end--)
        {
            stream.Position = end - 1;
            if (stream.ReadByte() == '\n') return end;
        }

        return 0;
    }
}
