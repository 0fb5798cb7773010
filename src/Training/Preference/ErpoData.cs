using SaferGuard.Reasoning.Decoding;
using SaferGuard.Training.Data;
using SaferGuard.Training.Sft;

namespace SaferGuard.Training.Preference;

/// <summary>The rows of an iteration: those that may be rolled out, and dev rows as <see cref="DevScores"/> takes them.</summary>
internal sealed class ErpoData
{
    private readonly Dictionary<string, TrainingRow> _train;
    private readonly TraceTokens _tokens;
    private readonly int _maxPromptTokens;

    /// <param name="devRows">The most dev rows, spread evenly.</param>
    /// <exception cref="InvalidDataException">The file has a line that is no row, no row to train on, or room for no prompt.</exception>
    public ErpoData(string path, TraceTokens tokens, int maxTokens, int devRows)
    {
        (_tokens, _maxPromptTokens) = (tokens, maxTokens - tokens.MaxTraceTokens);
        if (_maxPromptTokens < 1) throw new InvalidDataException($"max_tokens must be above {tokens.MaxTraceTokens}, which a trace may take.");
        var rows = RowFile.Read(path).ToList();
        _train = rows.Where(r => r.Split == DataSplit.Train && r.Weight > 0).DistinctBy(r => r.Id).ToDictionary(r => r.Id);
        if (_train.Count == 0) throw new InvalidDataException($"{path} has no train rows.");
        var dev = rows.FindAll(r => r.Split == DataSplit.Dev);
        var count = Math.Min(devRows, dev.Count);
        Dev = [.. Enumerable.Range(0, count)
            .Select(i => dev[(int)((long)i * dev.Count / count)])
            .Select(r => (SftRow.Of(r, tokens, _maxPromptTokens), r.Label == Label.Harmful))];
    }

    public IReadOnlyCollection<TrainingRow> Train => _train.Values;

    public IReadOnlyList<(SftRow Row, bool IsHarmful)> Dev { get; }

    public bool Has(string id) => _train.ContainsKey(id);

    public GoldRow Gold(string id) => new(_train[id], SftRow.Of(_train[id], _tokens, _maxPromptTokens));

    /// <summary>
    /// Rows to roll out: drawn by the seed, as many of each label as there are, so that borderline-safe requests are in every iteration. Prompts
    /// that would have to be shortened are left out.
    /// </summary>
    public IReadOnlyList<GoldRow> Draw(RollOutOptions options)
    {
        var draw = new Draw(options.Seed, "roll-outs");
        var labels = _train.Values.GroupBy(r => r.Label).OrderBy(g => g.Key).Select(g => draw.Shuffle(g)).ToList();
        var order = Enumerable.Range(0, labels.Max(l => l.Count)).SelectMany(i => labels.Where(l => i < l.Count).Select(l => l[i]));
        return [.. order
            .Where(r => _tokens.Template.Render(r.Conversation).Length <= _maxPromptTokens)
            .Select(r => Gold(r.Id))
            .Take(options.Prompts)];
    }
}
