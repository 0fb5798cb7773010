using SaferGuard.Reasoning.Decoding;
using SaferGuard.Training.Model;
using static TorchSharp.torch;

namespace SaferGuard.Training.Sft;

/// <summary>
/// The loss of a batch: of <see cref="Choices"/> among their own tokens, of texts among all. B examples, T tokens, C hidden size, N asked positions.
/// </summary>
internal sealed class SftLoss : IDisposable
{
    private static readonly int QuestionCount = Enum.GetValues<Question>().Length;

    private readonly SftOptions _options;
    private readonly Choices _choices;
    private readonly Tensor _weights;  // (questions) loss weights

    public SftLoss(TraceTokens tokens, SftOptions options)
    {
        _options = options;
        _choices = new Choices(tokens);
        var weights = options.Weights;
        _weights = tensor([
            (float)weights.Assess, (float)weights.Categories, (float)weights.Risk, (float)weights.Verdicts, (float)weights.Path, (float)weights.Text,
        ]).DetachFromDisposeScope();
    }

    /// <summary>The total, and the mean of each question over the batch, in the order of <see cref="Question"/>, without loss weights.</summary>
    public (Tensor Total, Tensor ByQuestion) Of(Decoder decoder, PooledHead pooled, SftBatch batch)
    {
        var ngrams = decoder.training && batch.Ngrams is { } all && _options.NgramDropout > 0
            ? all * rand(all.shape).ge(_options.NgramDropout)
            : batch.Ngrams;
        var embeddings = decoder.Embed(batch.Tokens, ngrams); // (B, T, C)
        var hidden = decoder.Run(nn.functional.dropout(embeddings, _options.EmbeddingDropout, decoder.training)).flatten(0, 1); // (B T, C)

        var choices = Choose(decoder, hidden.index_select(0, batch.Choices.Rows), batch.Choices);
        var texts = nn.functional.cross_entropy(
            decoder.Logits(hidden.index_select(0, batch.Texts.Rows)), batch.Texts.Targets, reduction: nn.Reduction.None);

        var weights = cat([batch.Choices.Weights, batch.Texts.Weights]).to(choices.dtype);
        var questions = cat([batch.Choices.Questions, batch.Texts.Questions]);
        var byQuestion = zeros(QuestionCount, choices.dtype).index_add(0, questions, cat([choices, texts]) * weights, 1);

        var refusal = nn.functional.binary_cross_entropy_with_logits(
            pooled.Read(embeddings, batch.PromptShares), batch.Refuses.to(choices.dtype), reduction: nn.Reduction.None);
        var total = byQuestion.dot(_weights.to(choices.dtype)) + (refusal * batch.Shares).sum() * _options.Weights.Pooled;
        return (total, byQuestion.detach());
    }

    public void Dispose()
    {
        _choices.Dispose();
        _weights.Dispose();
    }

    /// <summary>Cross-entropy with smoothed labels, each row among the choices that its question allows.</summary>
    private Tensor Choose(Decoder decoder, Tensor hidden, AskedRows asked) // (N, C) → (N)
    {
        var (target, mean) = _choices.LogProbabilities(decoder, hidden, asked);
        return -(target * (1 - _options.LabelSmoothing) + mean * _options.LabelSmoothing);
    }
}
