using System.Numerics;

namespace SaferGuard.Training.Data;

/// <summary>Repeatable randomness: the same seed and key give the same draws on every machine and runtime (SplitMix64).</summary>
internal sealed class Draw
{
    private ulong _state;

    public Draw(int seed, string key)
    {
        _state = 0xcbf29ce484222325 ^ (uint)seed;
        foreach (var c in key) _state = BitOperations.RotateLeft((_state ^ c) * 0x100000001b3, 5);
    }

    /// <summary>A number from 0 up to, not including, <paramref name="count"/>.</summary>
    public int Below(int count) => (int)(Next() % (ulong)count);

    /// <summary>A number from 0 up to, not including, 1.</summary>
    public double Share() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Share() < probability;

    public T Of<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>The items in random order.</summary>
    public List<T> Shuffle<T>(IEnumerable<T> items)
    {
        var list = items.ToList();
        for (var i = list.Count - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (list[i], list[j]) = (list[j], list[i]);
        }

        return list;
    }

    private ulong Next()
    {
        var z = _state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
