using SaferGuard.Reasoning;

namespace SaferGuard.Api.Cache;

/// <summary>Remembers judgments, up to a number, a size and an age. The longest unused is forgotten first.</summary>
internal sealed class VerdictCache(CacheOptions options, TimeProvider clock)
{
    /// <summary>Of an entry without its texts, and of a rule check.</summary>
    private const int EntryBytes = 700, CheckBytes = 150;

    private readonly Lock _lock = new();
    private readonly Dictionary<VerdictKey, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();

    public int Count
    {
        get
        {
            lock (_lock) return _entries.Count;
        }
    }

    /// <summary>An estimate of what the judgments take.</summary>
    public long Bytes { get; private set; }

    public Judgment? Find(VerdictKey key)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var node)) return null;
            _byUse.Remove(node);
            if (clock.GetElapsedTime(node.Value.Made) >= options.Expiry)
            {
                Forget(node);
                return null;
            }

            _byUse.AddFirst(node);
            return node.Value.Judgment;
        }
    }

    public void Add(VerdictKey key, Judgment judgment)
    {
        var entry = new Entry(key, judgment, clock.GetTimestamp(), SizeOf(judgment));
        if (entry.Bytes > options.MaxBytes) return;
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out var before))
            {
                _byUse.Remove(before);
                Forget(before);
            }

            _entries[key] = _byUse.AddFirst(entry);
            Bytes += entry.Bytes;
            while (_entries.Count > options.MaxEntries || Bytes > options.MaxBytes)
            {
                var oldest = _byUse.Last!;
                _byUse.RemoveLast();
                Forget(oldest);
            }
        }
    }

    private void Forget(LinkedListNode<Entry> node)
    {
        _entries.Remove(node.Value.Key);
        Bytes -= node.Value.Bytes;
    }

    private static long SizeOf(Judgment judgment)
    {
        var trace = judgment.Trace;
        var characters = (trace.Assessment.Intent?.Length ?? 0) + (trace.Path.Strategy?.Length ?? 0)
            + trace.RuleChecks.Sum(check => check.Evidence?.Text.Length ?? 0);
        return EntryBytes + CheckBytes * trace.RuleChecks.Count + sizeof(char) * (long)characters;
    }

    private sealed record Entry(VerdictKey Key, Judgment Judgment, long Made, long Bytes);
}
