using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Training.Model;
using SaferGuard.Training.Sft;
using static TorchSharp.torch;

namespace SaferGuard.Training.Preference;

/// <summary>Metrics of a batch, under the names that TRL gives them.</summary>
internal static class RewardMetrics
{
    public const string Chosen = "rewards/chosen";
    public const string Rejected = "rewards/rejected";
    public const string Accuracies = "rewards/accuracies";
    public const string Margins = "rewards/margins";
    public const string ChosenLogs = "logps/chosen";
    public const string RejectedLogs = "logps/rejected";
    public const string ChosenLoss = "nll_loss";
}

/// <summary>
/// Step-level preference optimisation, with s the choices of a step, x the prompt and all that stands before the step, |s| the number of choices,
/// ρ(s|x) = log π(s|x) − log π_ref(s|x):
/// <code>−log σ( β [ρ(chosen|x) − ρ(rejected|x)] + α (|chosen| − |rejected|) ) + γ NLL(chosen|x) / |chosen|</code>
/// The margin keeps the gradient large where the chosen side is the shorter one. P pairs, B = 2 P rows: the chosen sides, then the rejected ones.
/// T tokens, C hidden size, N choices.
/// </summary>
internal sealed class StepLoss(TraceTokens tokens, ErpoOptions options) : IDisposable
{
    private readonly Choices _choices = new(tokens);

    /// <summary>The mean over the pairs, and the metrics of <see cref="RewardMetrics"/>.</summary>
    public (Tensor Total, IReadOnlyDictionary<string, Tensor> Metrics) Of(Decoder decoder, IReadOnlyList<StepPair> pairs, WordNgrams? ngrams)
    {
        var batch = BatchOf(pairs, ngrams);
        return Of(LogProbabilities(decoder, decoder.Run(decoder.Embed(batch.Tokens, batch.Ngrams)), batch), pairs);
    }

    /// <param name="logs">(B) log π of the choices of each row.</param>
    public (Tensor Total, IReadOnlyDictionary<string, Tensor> Metrics) Of(Tensor logs, IReadOnlyList<StepPair> pairs)
    {
        var (chosen, rejected) = (logs[..pairs.Count], logs[pairs.Count..]);                      // (P)
        var chosenReward = (chosen - Column(p => p.Reference!.Chosen)) * options.Beta;
        var rejectedReward = (rejected - Column(p => p.Reference!.Rejected)) * options.Beta;
        var margin = Column(p => p.Chosen.Targets.Count - p.Rejected.Targets.Count) * options.Alpha;
        var preference = -nn.functional.logsigmoid(chosenReward - rejectedReward + margin);
        var likelihood = -chosen / Column(p => p.Chosen.Targets.Count);
        var metrics = new Dictionary<string, Tensor>
        {
            [RewardMetrics.Chosen] = chosenReward,
            [RewardMetrics.Rejected] = rejectedReward,
            [RewardMetrics.Accuracies] = chosenReward.gt(rejectedReward).to(logs.dtype),
            [RewardMetrics.Margins] = chosenReward - rejectedReward,
            [RewardMetrics.ChosenLogs] = chosen,
            [RewardMetrics.RejectedLogs] = rejected,
            [RewardMetrics.ChosenLoss] = likelihood,
        };
        return ((preference + likelihood * options.Gamma).mean(), metrics.ToDictionary(m => m.Key, m => m.Value.detach().mean()));

        Tensor Column(Func<StepPair, double> value) => tensor([.. pairs.Select(value)], logs.dtype);
    }

    /// <summary>What a model says of both sides of each pair.</summary>
    public ReferenceLogs[] LogProbabilities(Decoder decoder, IReadOnlyList<StepPair> pairs, WordNgrams? ngrams)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var batch = BatchOf(pairs, ngrams);
        var logs = LogProbabilities(decoder, decoder.Run(decoder.Embed(batch.Tokens, batch.Ngrams)), batch).to(ScalarType.Float64).cpu().data<double>().ToArray();
        return [.. pairs.Select((_, i) => new ReferenceLogs(logs[i], logs[pairs.Count + i]))];
    }

    /// <param name="hidden">(B, T, C) what the layers give; only the rows that are asked count.</param>
    public Tensor LogProbabilities(Decoder decoder, Tensor hidden, SftBatch batch) // → (B)
    {
        var (b, t) = (hidden.shape[0], hidden.shape[1]);
        var flat = hidden.flatten(0, 1);
        var sums = zeros(b, hidden.dtype);
        if (batch.Choices.Rows.shape[0] > 0)
        {
            var (chosen, _) = _choices.LogProbabilities(decoder, flat.index_select(0, batch.Choices.Rows), batch.Choices);
            sums = sums.index_add(0, batch.Choices.Rows.floor_divide(t), chosen, 1);
        }

        if (batch.Texts.Rows.shape[0] > 0)
        {
            var log = decoder.Logits(flat.index_select(0, batch.Texts.Rows)).log_softmax(-1);     // (N, V)
            var chosen = log.gather(1, batch.Texts.Targets.unsqueeze(1)).squeeze(1);
            sums = sums.index_add(0, batch.Texts.Rows.floor_divide(t), chosen, 1);
        }

        return sums;
    }

    public static SftBatch BatchOf(IReadOnlyList<StepPair> pairs, WordNgrams? ngrams) =>
        SftBatch.Of([.. pairs.Select(p => p.Chosen), .. pairs.Select(p => p.Rejected)], ngrams);

    public void Dispose() => _choices.Dispose();
}
