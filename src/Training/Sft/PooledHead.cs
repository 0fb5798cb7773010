using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Sft;

/// <summary>
/// Reads the decision from the mean of a prompt's embeddings, while training only: it teaches the embeddings what a bag of words knows, which a
/// small decoder learns slowly by itself.
/// </summary>
internal sealed class PooledHead : nn.Module
{
    private readonly Linear refuse;

    public PooledHead(long hiddenSize)
        : base(nameof(PooledHead))
    {
        refuse = nn.Linear(hiddenSize, 1);
        RegisterComponents();
    }

    /// <summary>Log-odds of a refusal.</summary>
    public Tensor Read(Tensor embeddings, Tensor promptShares) => // (B, T, C), (B, T) → (B)
        refuse.forward(promptShares.to(embeddings.dtype).unsqueeze(1).matmul(embeddings).squeeze(1)).squeeze(1);
}
