using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Engine;

/// <summary>A run of tokens in the key/value pool, and the chunk that is to be computed next.</summary>
internal sealed class Sequence(EngineRequest request, SequenceProgram program, int growth)
{
    private Chunk _pending = program.Start;
    private int _pendingComputed;
    private int _growthLeft = growth;

    /// <summary>State of the n-gram hashes after the computed tokens.</summary>
    public WordNgrams.State Ngrams;

    public EngineRequest Request => request;

    public SequenceProgram Program => program;

    /// <summary>Blocks in the order of the tokens; the last one may be partly filled.</summary>
    public List<int> Blocks { get; } = [];

    /// <summary>Tokens whose keys and values are in the pool.</summary>
    public int Computed { get; private set; }

    /// <summary>Tokens still to be computed.</summary>
    public ReadOnlySpan<int> Pending => _pending.Tokens.AsSpan(_pendingComputed);

    /// <summary>Positions in <see cref="Pending"/> whose logits are wanted. They are always computed in one pass.</summary>
    public ReadOnlySpan<int> Queries => _pending.Queries;

    /// <summary>Position in <see cref="Pending"/> of a query.</summary>
    public int PendingPosition(int query) => query - _pendingComputed;

    /// <summary>Tokens from the first query to the end of the chunk: the least that a pass which answers must take.</summary>
    public int Tail => _pending.Tokens.Length - _pending.Queries[0];

    /// <summary>How many tokens a pass may take when at most <paramref name="budget"/> are left: all, or a part that ends before the first query, or none.</summary>
    public int Take(int budget)
    {
        var pending = Pending.Length;
        return pending <= budget ? pending : Math.Min(budget, pending - Tail);
    }

    /// <summary>Appends what the program wants next. The chunk before must be wholly computed.</summary>
    /// <exception cref="InvalidOperationException">The program grows beyond what it announced, so that no memory is set aside for it.</exception>
    public void Append(Chunk chunk)
    {
        _growthLeft -= chunk.Tokens.Length;
        if (_growthLeft < 0) throw new InvalidOperationException("A program has grown beyond what it announced.");
        _pending = chunk;
        _pendingComputed = 0;
        request.Appended(chunk);
    }

    /// <returns>True if the chunk is wholly computed, so that its logits are there.</returns>
    public bool Advance(int tokens)
    {
        Computed += tokens;
        _pendingComputed += tokens;
        return Pending.IsEmpty;
    }

    /// <summary>A branch that shares what was computed; its blocks are set up by the engine.</summary>
    public Sequence Branch(SequenceProgram branch)
    {
        var growth = program.Growth.BranchTokens - branch.Start.Tokens.Length;
        if (growth < 0) throw new InvalidOperationException("A branch starts with more tokens than its program announced.");
        request.Appended(branch.Start);
        return new Sequence(request, branch, growth) { Computed = Computed, Ngrams = Ngrams };
    }
}
