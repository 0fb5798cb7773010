using SaferGuard.Reasoning.Decoding;
using SaferGuard.Training.Model;
using static TorchSharp.torch;

namespace SaferGuard.Training.Sft;

/// <summary>
/// The loss of a batch. Decisions, categories, risks and verdicts are chosen among their own tokens only, as serving chooses them; texts among
/// all tokens. B examples, T tokens, C hidden size, N asked positions, M choice tokens.
/// </summary>
internal sealed class SftLoss : IDisposable
{
    private const float Impossible = -1e9f;

    private static readonly int QuestionCount = Enum.GetValues<Question>().Length;

    private readonly SftOptions _options;
    private readonly Tensor _tokens;   // (M) token ids of every choice
    private readonly Tensor _columns;  // (V) position of a token among the choices
    private readonly Tensor _masks;    // (questions, M) 0 where a question allows a choice
    private readonly Tensor _uniform;  // (questions, M) 1 / number of choices
    private readonly Tensor _weights;  // (questions) loss weights

    public SftLoss(TraceTokens tokens, SftOptions options)
    {
        _options = options;
        int[] choices = [.. tokens.Decisions, .. tokens.CategorySlots, .. tokens.Risks, .. tokens.Verdicts];
        var columns = new long[tokens.Tokenizer.VocabularySize];
        for (var i = 0; i < choices.Length; i++) columns[choices[i]] = i;

        var masks = new float[QuestionCount, choices.Length];
        var uniform = new float[QuestionCount, choices.Length];
        foreach (var question in Enum.GetValues<Question>().Where(q => q != Question.Text))
        {
            var allowed = question switch
            {
                Question.Categories => tokens.CategorySlots,
                Question.Risk => tokens.Risks,
                Question.Verdict => tokens.Verdicts,
                _ => tokens.Decisions,
            };
            for (var i = 0; i < choices.Length; i++)
            {
                var isAllowed = allowed.Contains(choices[i]);
                masks[(int)question, i] = isAllowed ? 0 : Impossible;
                uniform[(int)question, i] = isAllowed ? 1f / allowed.Count : 0;
            }
        }

        var weights = options.Weights;
        _tokens = tensor(Array.ConvertAll(choices, c => (long)c)).DetachFromDisposeScope();
        _columns = tensor(columns).DetachFromDisposeScope();
        _masks = tensor(masks).DetachFromDisposeScope();
        _uniform = tensor(uniform).DetachFromDisposeScope();
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
        foreach (var tensor in new[] { _tokens, _columns, _masks, _uniform, _weights }) tensor.Dispose();
    }

    /// <summary>Cross-entropy with smoothed labels, each row among the choices that its question allows.</summary>
    private Tensor Choose(Decoder decoder, Tensor hidden, AskedRows asked) // (N, C) → (N)
    {
        var logits = decoder.Logits(hidden, _tokens);                                               // (N, M)
        var log = (logits + _masks.index_select(0, asked.Questions)).log_softmax(-1);
        var target = log.gather(1, _columns.index_select(0, asked.Targets).unsqueeze(1)).squeeze(1); // (N)
        var smooth = (log * _uniform.index_select(0, asked.Questions)).sum(1);                       // (N)
        return -(target * (1 - _options.LabelSmoothing) + smooth * _options.LabelSmoothing);
    }
}
