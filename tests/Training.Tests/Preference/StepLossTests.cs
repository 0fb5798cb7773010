using SaferGuard.Training.Preference;
using SaferGuard.Training.Sft;
using SaferGuard.Training.Tests.Sft;
using TorchSharp;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Preference;

[Collection(nameof(Torch))]
public sealed class StepLossTests
{
    private static readonly ErpoOptions Options = new() { Beta = 0.5, Alpha = 0.3, Gamma = 0.7 };

    [Fact]
    public void The_loss_is_what_one_computes_by_hand()
    {
        using var scope = NewDisposeScope();
        using var loss = new StepLoss(SmallData.Tokens, Options);
        List<StepPair> pairs = [Pair(chosen: 2, rejected: 5, -3, -4), Pair(chosen: 4, rejected: 4, -2, -1)];

        // Log-probabilities of the two chosen sides, then of the two rejected ones.
        var (total, metrics) = loss.Of(tensor([-2.0, -2.5, -4.5, -1.5]), pairs);

        // Pair 1: rewards 0.5 (−2 + 3) = 0.5 and 0.5 (−4.5 + 4) = −0.25, length margin 0.3 (2 − 5) = −0.9: −log σ(0.75 − 0.9), NLL 2 / 2.
        // Pair 2: rewards 0.5 (−2.5 + 2) = −0.25 and 0.5 (−1.5 + 1) = −0.25, no margin: log 2, NLL 2.5 / 4.
        var first = Math.Log(1 + Math.Exp(0.15)) + 0.7 * 1;
        var second = Math.Log(2) + 0.7 * 0.625;
        Assert.Equal((first + second) / 2, total.item<double>(), 1e-12);
        Assert.Equal((0.5 - 0.25) / 2, metrics["rewards/chosen"].item<double>(), 1e-12);
        Assert.Equal(-0.25, metrics["rewards/rejected"].item<double>(), 1e-12);
        Assert.Equal(0.75 / 2, metrics["rewards/margins"].item<double>(), 1e-12);
        Assert.Equal(0.5, metrics["rewards/accuracies"].item<double>(), 1e-12);
        Assert.Equal(-2.25, metrics["logps/chosen"].item<double>(), 1e-12);
        Assert.Equal(-3, metrics["logps/rejected"].item<double>(), 1e-12);
        Assert.Equal((1 + 0.625) / 2, metrics["nll_loss"].item<double>(), 1e-12);
    }

    [Fact]
    public void A_shorter_winner_keeps_a_larger_gradient()
    {
        Assert.True(GradientOf(chosen: 3, rejected: 9) < GradientOf(chosen: 3, rejected: 3));
        Assert.True(GradientOf(chosen: 3, rejected: 3) < GradientOf(chosen: 9, rejected: 3));

        // Of the chosen log-probability; it is negative, since raising that lowers the loss.
        static double GradientOf(int chosen, int rejected)
        {
            using var scope = NewDisposeScope();
            using var loss = new StepLoss(SmallData.Tokens, Options with { Gamma = 0 });
            var logs = tensor([-1.0, -1.0], requires_grad: true);
            loss.Of(logs, [Pair(chosen, rejected, -1, -1)]).Total.backward();
            return logs.grad![0].item<double>();
        }
    }

    [Fact]
    public void The_loss_of_the_reference_itself_is_the_logarithm_of_two()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var decoder = SmallPairs.NewDecoder(1);
        using var loss = new StepLoss(SmallData.Tokens, Options with { Alpha = 0, Gamma = 0 });

        var (total, metrics) = loss.Of(decoder, SmallPairs.Prepared(decoder, loss), SmallPairs.Ngrams);

        Assert.Equal(Math.Log(2), total.item<float>(), 1e-5);
        Assert.Equal(0, metrics["rewards/margins"].item<float>(), 1e-5);
    }

    [Fact]
    public void Log_probabilities_of_a_step_are_sums_over_its_choices_alone()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var decoder = SmallPairs.NewDecoder(2);
        using var loss = new StepLoss(SmallData.Tokens, Options);
        foreach (var pair in SmallPairs.Prepared(decoder, loss))
        {
            foreach (var (side, expected) in new[] { (pair.Chosen, pair.Reference!.Chosen), (pair.Rejected, pair.Reference!.Rejected) })
            {
                var alone = SftBatch.Of([side], SmallPairs.Ngrams);
                var hidden = decoder.Run(decoder.Embed(alone.Tokens, alone.Ngrams))[0];
                var sum = side.Targets.Sum(t =>
                {
                    var logits = decoder.Logits(hidden[t.Position].unsqueeze(0))[0].data<float>().ToArray();
                    IReadOnlyList<int> choices = t.Question switch
                    {
                        Question.Text => [.. Enumerable.Range(0, logits.Length)],
                        Question.Categories => SmallData.Tokens.CategorySlots,
                        Question.Verdict => SmallData.Tokens.Verdicts,
                        _ => SmallData.Tokens.Decisions,
                    };
                    return logits[t.Token] - Math.Log(choices.Sum(c => Math.Exp(logits[c])));
                });
                Assert.Equal(sum, expected, 1e-4);
            }
        }
    }

    [Fact]
    public void The_prefix_gets_no_gradient()
    {
        using var scope = NewDisposeScope();
        var decoder = SmallPairs.NewDecoder(3);
        using var loss = new StepLoss(SmallData.Tokens, Options);
        var pairs = SmallPairs.Prepared(decoder, loss);
        var batch = StepLoss.BatchOf(pairs, SmallPairs.Ngrams);
        var hidden = decoder.Run(decoder.Embed(batch.Tokens, batch.Ngrams)).detach().requires_grad_(true);

        loss.Of(loss.LogProbabilities(decoder, hidden, batch), pairs).Total.backward();

        var isAsked = pairs.Select(p => p.Chosen).Concat(pairs.Select(p => p.Rejected)).Select(e => e.Targets.Select(t => t.Position).ToHashSet()).ToList();
        var norms = hidden.grad!.norm(2); // (B, T)
        for (var row = 0; row < isAsked.Count; row++)
        {
            for (var position = 0; position < norms.shape[1]; position++)
                Assert.Equal(isAsked[row].Contains(position), norms[row, position].item<float>() > 0);
        }
    }

    [Fact]
    public void Equal_choices_of_both_sides_cancel()
    {
        using var scope = NewDisposeScope();
        var decoder = SmallPairs.NewDecoder(4);
        using var loss = new StepLoss(SmallData.Tokens, Options with { Gamma = 0 });
        var verdicts = SmallPairs.Prepared(decoder, loss)[1]; // The sides differ in the first rule's verdict only.
        var batch = StepLoss.BatchOf([verdicts], SmallPairs.Ngrams);
        var hidden = decoder.Run(decoder.Embed(batch.Tokens, batch.Ngrams))[0].detach().requires_grad_(true); // (T, C), read by both sides

        loss.Of(loss.LogProbabilities(decoder, stack([hidden, hidden]), batch), [verdicts]).Total.backward();

        var norms = hidden.grad!.norm(1);
        var positions = verdicts.Chosen.Targets.Select(t => t.Position).ToList();
        Assert.True(norms[positions[0]].item<float>() > 1e-4);
        Assert.All(positions.Skip(1), p => Assert.Equal(0, norms[p].item<float>(), 1e-7));
    }

    [Fact]
    public void Gradients_of_the_whole_loss_equal_finite_differences()
    {
        using var scope = NewDisposeScope();
        using var loss = new StepLoss(SmallData.Tokens, Options);
        var pairs = SmallPairs.Prepared(SmallPairs.NewDecoder(5), loss);
        var decoder = SmallPairs.NewDecoder(6);
        decoder.to(ScalarType.Float64);
        using (no_grad())
        {
            // Larger weights than at the start of a run, so that no gradient is lost in rounding.
            foreach (var weight in decoder.parameters()) weight.add_(randn_like(weight) * 0.2);
            decoder.NgramTable![0].zero_();
        }

        loss.Of(decoder, pairs, SmallPairs.Ngrams).Total.backward();

        const double Difference = 1e-5;
        var random = new Random(7);
        using var _ = no_grad();
        foreach (var (name, parameter) in decoder.named_parameters())
        {
            var gradient = parameter.grad!.flatten();
            var flat = parameter.view(-1);
            foreach (var i in new[] { gradient.abs().argmax().item<long>(), random.NextInt64(flat.shape[0]) })
            {
                if (name == "model.ngram_embed.weight" && i < SmallData.Config.SaferguardNgrams!.Size) continue;
                var value = flat[i].item<double>();
                flat[i] = value + Difference;
                var above = loss.Of(decoder, pairs, SmallPairs.Ngrams).Total.item<double>();
                flat[i] = value - Difference;
                var below = loss.Of(decoder, pairs, SmallPairs.Ngrams).Total.item<double>();
                flat[i] = value;
                Assert.Equal((above - below) / (2 * Difference), gradient[i].item<double>(), 1e-6);
            }
        }
    }

    /// <summary>A pair of which only the lengths and references count.</summary>
    private static StepPair Pair(int chosen, int rejected, double chosenReference, double rejectedReference)
    {
        return new StepPair(Side(chosen), Side(rejected), new ReferenceLogs(chosenReference, rejectedReference));

        static SftExample Side(int choices) =>
            new([0], 1, [.. Enumerable.Repeat(new Target(0, 0, Question.Text, 1), choices)], Refuses: false, Weight: 1);
    }
}
