using System.Text;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Teacher.Llm;

/// <summary>
/// What has been asked and answered, one line each, appended as it comes: whatever ends a run, only the calls in flight are lost.
/// One process writes at a time.
/// </summary>
internal sealed class TeachJournal : IDisposable
{
    public const string Name = "lessons.jsonl";

    private readonly FileStream _file;
    private readonly Dictionary<string, Lesson> _lessons;
    private readonly Lock _writing = new();

    /// <exception cref="InvalidDataException">A whole line is not a lesson; the message names it.</exception>
    public TeachJournal(string path)
    {
        CutPartialLine(path);
        _lessons = JsonLines.Read<Lesson>(File.OpenRead(path), path).GroupBy(l => l.Digest).ToDictionary(g => g.Key, g => g.Last());
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
    }

    public Lesson? Find(string digest)
    {
        lock (_writing) return _lessons.GetValueOrDefault(digest);
    }

    public void Append(Lesson lesson)
    {
        var line = Encoding.UTF8.GetBytes($"{JsonLines.Write(lesson)}\n");
        lock (_writing)
        {
            _file.Write(line);
            _file.Flush();
            _lessons[lesson.Digest] = lesson;
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>A killed process may leave a line without its end.</summary>
    private static void CutPartialLine(string path)
    {
        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        var end = file.Length;
        for (; end > 0; end--)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n') break;
        }

        file.SetLength(end);
    }
}
