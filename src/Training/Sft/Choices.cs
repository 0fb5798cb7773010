using SaferGuard.Reasoning.Decoding;
using SaferGuard.Training.Model;
using static TorchSharp.torch;

namespace SaferGuard.Training.Sft;

/// <summary>
/// What a model says where it chooses among a few tokens. Decisions, categories, risks and verdicts are chosen among their own tokens only, as
/// serving chooses them. C hidden size, N asked positions, M choice tokens.
/// </summary>
internal sealed class Choices : IDisposable
{
    private const float Impossible = -1e9f;

    private static readonly int QuestionCount = Enum.GetValues<Question>().Length;

    private readonly Tensor _tokens;   // (M) token ids of every choice
    private readonly Tensor _columns;  // (V) position of a token among the choices
    private readonly Tensor _masks;    // (questions, M) 0 where a question allows a choice
    private readonly Tensor _uniform;  // (questions, M) 1 / number of choices

    public Choices(TraceTokens tokens)
    {
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

        _tokens = tensor(Array.ConvertAll(choices, c => (long)c)).DetachFromDisposeScope();
        _columns = tensor(columns).DetachFromDisposeScope();
        _masks = tensor(masks).DetachFromDisposeScope();
        _uniform = tensor(uniform).DetachFromDisposeScope();
    }

    /// <summary>Log-probabilities of the targets, and the mean over all that each question allows.</summary>
    /// <param name="hidden">(N, C) the rows that are asked.</param>
    public (Tensor Target, Tensor Mean) LogProbabilities(Decoder decoder, Tensor hidden, AskedRows asked) // → (N), (N)
    {
        var logits = decoder.Logits(hidden, _tokens);                                                // (N, M)
        var log = (logits + _masks.index_select(0, asked.Questions)).log_softmax(-1);
        var target = log.gather(1, _columns.index_select(0, asked.Targets).unsqueeze(1)).squeeze(1); // (N)
        return (target, (log * _uniform.index_select(0, asked.Questions)).sum(1));
    }

    public void Dispose()
    {
        foreach (var tensor in new[] { _tokens, _columns, _masks, _uniform }) tensor.Dispose();
    }
}
