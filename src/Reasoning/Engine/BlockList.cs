namespace SaferGuard.Reasoning.Engine;

/// <summary>An ordered set of block ids below <paramref name="count"/>: a doubly linked list in arrays, so that nothing is allocated when it changes.</summary>
internal sealed class BlockList(int count)
{
    private readonly int[] _next = Empty(count + 1); // the last element is the head of the ring
    private readonly int[] _previous = Empty(count + 1);

    public int Count { get; private set; }

    /// <summary>Adds a block that is not in the list, at its end.</summary>
    public void Append(int block)
    {
        var last = _previous[count];
        (_next[last], _previous[block], _next[block], _previous[count]) = (block, last, count, block);
        Count++;
    }

    /// <summary>Removes a block that is in the list.</summary>
    public void Remove(int block)
    {
        (_next[_previous[block]], _previous[_next[block]]) = (_next[block], _previous[block]);
        Count--;
    }

    /// <summary>Removes the first block of a list that is not empty.</summary>
    public int RemoveFirst()
    {
        var first = _next[count];
        Remove(first);
        return first;
    }

    private static int[] Empty(int length)
    {
        var links = new int[length];
        links[^1] = length - 1;
        return links;
    }
}
