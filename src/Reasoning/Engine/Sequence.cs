using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Engine;

/// <summary>A run of tokens in the key/value pool, and the chunk that is to be computed next.</summary>
internal sealed class Sequence
{
    private readonly int[] _lastBlock; // tokens of the block that is being filled
    private Chunk _pending;
    private int _pendingComputed;
    private int _growthLeft;

    public Sequence(EngineRequest request, int blockSize)
        : this(request, request.Program, computed: 0, request.Program.Growth.Tokens, blockSize)
    {
    }

    private Sequence(EngineRequest request, SequenceProgram program, int computed, int growth, int blockSize)
    {
        (Request, Program, _pending, _growthLeft, _lastBlock) = (request, program, program.Start, growth, new int[blockSize]);
        Blocks = new List<int>((computed + program.Start.Tokens.Length + growth) / blockSize + 1);
        Computed = computed;
        request.Appended(_pending);
    }

    /// <summary>State of the n-gram hashes after the computed tokens.</summary>
    public WordNgrams.State Ngrams;

    public EngineRequest Request { get; }

    public SequenceProgram Program { get; }

    /// <summary>Branches hold explanations, which no other request will begin with: their blocks are not shared.</summary>
    public bool IsBranch { get; private init; }

    /// <summary>Blocks in the order of the tokens; the last one may be partly filled.</summary>
    public List<int> Blocks { get; }

    /// <summary>Tokens whose keys and values are in the pool.</summary>
    public int Computed { get; private set; }

    /// <summary>The run (of <see cref="PrefixIndex"/>) that the full blocks make.</summary>
    public long Run { get; set; } = PrefixIndex.Root;

    /// <summary>The computed tokens of the block that is being filled.</summary>
    public ReadOnlySpan<int> LastBlock => _lastBlock.AsSpan(0, Computed % _lastBlock.Length);

    /// <summary>Tokens still to be computed.</summary>
    public ReadOnlySpan<int> Pending => _pending.Tokens.AsSpan(_pendingComputed);

    /// <summary>Positions in the chunk whose logits are wanted. They are always computed in one pass.</summary>
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
        Request.Appended(chunk);
    }

    /// <summary>Counts pending tokens as computed, at most to the end of the block that is being filled.</summary>
    public void Advance(int tokens)
    {
        Pending[..tokens].CopyTo(_lastBlock.AsSpan(Computed % _lastBlock.Length));
        Computed += tokens;
        _pendingComputed += tokens;
    }

    /// <summary>The tokens of the block that has just been filled.</summary>
    public ReadOnlySpan<int> FilledBlock => _lastBlock;

    /// <summary>A branch that shares what was computed; its blocks are set up by the engine.</summary>
    public Sequence Branch(SequenceProgram branch)
    {
        var growth = Program.Growth.BranchTokens - branch.Start.Tokens.Length;
        if (growth < 0) throw new InvalidOperationException("A branch starts with more tokens than its program announced.");
        return new Sequence(Request, branch, Computed, growth, _lastBlock.Length) { IsBranch = true, Ngrams = Ngrams };
    }
}
