namespace SaferGuard.Reasoning.Decoding;

/// <summary>
/// Decides how a sequence goes on, each time the logits that it asked for have been computed. Runs on the engine's thread, one call at a time,
/// and must not block. A program may be used for one sequence only.
/// </summary>
public abstract class SequenceProgram
{
    private static readonly int[] FirstToken = [0];

    private readonly int[] _chosen = new int[1];

    /// <summary>What the sequence starts with.</summary>
    public abstract Chunk Start { get; }

    /// <summary>What the sequence may still grow to after <see cref="Start"/>. Its memory is set aside before it starts.</summary>
    public abstract Growth Growth { get; }

    /// <param name="logits">One row for each query of the last chunk, in order.</param>
    public abstract Continuation Advance(LogitRows logits);

    /// <summary>Goes on with a token that the model chose, and asks what follows it. Allocates nothing.</summary>
    protected Continuation Decode(int token)
    {
        _chosen[0] = token;
        return Continuation.Append(new Chunk(_chosen, FirstToken, Chosen: 1));
    }
}

/// <summary>The most that a program appends after its first chunk.</summary>
/// <param name="Tokens">Tokens appended to the sequence itself.</param>
/// <param name="Branches">Branches that it forks into.</param>
/// <param name="BranchTokens">Tokens of one branch, its first chunk included.</param>
public readonly record struct Growth(int Tokens, int Branches = 0, int BranchTokens = 0);

/// <summary>Tokens to append to a sequence in one pass.</summary>
/// <param name="Tokens">At least one.</param>
/// <param name="Queries">Positions in the chunk whose logits are wanted, ascending; at least one.</param>
/// <param name="Chosen">How many of the tokens were chosen by the model; the rest is forced (or input).</param>
public readonly record struct Chunk(int[] Tokens, int[] Queries, int Chosen = 0)
{
    /// <summary>A chunk whose last token is its only query.</summary>
    public static Chunk QueriedAtEnd(int[] tokens) => new(tokens, [tokens.Length - 1]);
}

/// <summary>How a sequence goes on: append a chunk, split into branches that share all that was computed, or end.</summary>
public readonly struct Continuation
{
    private Continuation(Chunk chunk, IReadOnlyList<SequenceProgram>? branches)
    {
        Chunk = chunk;
        Branches = branches;
    }

    /// <summary>Nothing more is wanted.</summary>
    public static Continuation End => default;

    /// <summary>Valid where <see cref="IsAppend"/>.</summary>
    public Chunk Chunk { get; }

    public IReadOnlyList<SequenceProgram>? Branches { get; }

    public bool IsAppend => Chunk.Tokens is not null;

    public static Continuation Append(Chunk chunk) => new(chunk, null);

    public static Continuation Fork(IReadOnlyList<SequenceProgram> branches) => new(default, branches);
}

/// <summary>Rows of logits (rows, vocabulary), valid only during the call that receives them.</summary>
public readonly ref struct LogitRows(ReadOnlySpan<float> values, int vocabularySize)
{
    private readonly ReadOnlySpan<float> _values = values;

    public int Count => _values.Length / vocabularySize;

    public ReadOnlySpan<float> this[int row] => _values.Slice(row * vocabularySize, vocabularySize);
}
