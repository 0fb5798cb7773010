namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// Computes one forward pass over a ragged batch. The seam between the engine and what runs the model. Used by one thread.
/// </summary>
public abstract class ModelRunner : IDisposable
{
    public abstract int VocabularySize { get; }

    /// <summary>The longest sequence, in tokens.</summary>
    public abstract int MaxPositions { get; }

    /// <summary>N-gram buckets per token; 0 where the model has no n-gram embeddings.</summary>
    public abstract int NgramOrders { get; }

    /// <summary>Tokens of a key/value block.</summary>
    public abstract int BlockSize { get; }

    /// <summary>Blocks of the key/value pool.</summary>
    public abstract int BlockCount { get; }

    /// <summary>Writes keys and values of the batch's tokens into the pool and the queried logits into <see cref="StepBatch.Logits"/>.</summary>
    public abstract void Run(StepBatch batch);

    /// <summary>Copies keys and values of a block, in every layer.</summary>
    public abstract void CopyBlock(int source, int target);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
