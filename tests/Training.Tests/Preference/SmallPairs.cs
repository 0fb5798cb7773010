using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Model;
using SaferGuard.Training.Preference;
using SaferGuard.Training.Tests.Sft;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Preference;

/// <summary>A pair of each step for rows of <see cref="SmallData"/>, and a model for them.</summary>
internal static class SmallPairs
{
    public static readonly WordNgrams Ngrams = new(SmallData.Tokens.Tokenizer, SmallData.Config.SaferguardNgrams!);

    private static readonly SampledTrace Picked =
        new(Decision.Refuse, "S4", Risk.High, [Verdict.Violated, .. Enumerable.Repeat(Verdict.Clear, Rules("S4") - 1)], Decision.Refuse);

    private static readonly SampledTrace Baked = new(Decision.Answer, "S0", Risk.None, [], Decision.Answer);

    public static readonly IReadOnlyList<PreferencePair> All =
    [
        Pair(0, Step.Assessment, Picked, Picked with { Impression = Decision.Answer, Category = "S11" }),
        Pair(0, Step.Verdicts, Picked, Picked with { Verdicts = [.. Enumerable.Repeat(Verdict.Clear, Rules("S4"))] }),
        Pair(0, Step.Path, Picked, Picked with { Decision = Decision.Care }),
        Pair(4, Step.Path, Baked, Baked with { Decision = Decision.Care }),
        Pair(4, Step.Intent, Baked with { Intent = Text("bake bread") }, Baked with { Intent = Text("How do I bake bread in a small oven") }),
        Pair(5, Step.Strategy, Baked with { Strategy = Text("Norway") }, Baked with { Strategy = Text("message for my boss", ended: false) }),
    ];

    public static GoldRow Gold(int row) => new(SmallData.Rows[row], SmallData.Prepared()[row]);

    public static Sentence Text(string text, bool ended = true)
    {
        var spans = new List<TokenSpan>();
        SmallData.Tokens.Tokenizer.Encode(text, spans);
        return new Sentence(text, [.. spans.Select(s => s.Id)], ended);
    }

    /// <summary>With references by a model.</summary>
    public static List<StepPair> Prepared(Decoder reference, StepLoss loss)
    {
        var rows = SmallData.Prepared();
        List<StepPair> pairs = [.. All.Select(p => StepPair.Of(p, rows[SmallData.Rows.ToList().FindIndex(r => r.Id == p.Row)], SmallData.Tokens))];
        return [.. pairs.Zip(loss.LogProbabilities(reference, pairs, Ngrams), (pair, logs) => pair with { Reference = logs })];
    }

    public static Decoder NewDecoder(int seed)
    {
        manual_seed(seed);
        var decoder = new Decoder(SmallData.Config);
        decoder.eval();
        return decoder;
    }

    private static PreferencePair Pair(int row, Step step, SampledTrace chosen, SampledTrace rejected) =>
        new(SmallData.Rows[row].Id, step, Winner.Model, chosen.Until(step), rejected.Until(step));

    private static int Rules(string category) => SmallData.Tokens.Policy.Categories.Single(c => c.Id == category).Rules.Count;
}
