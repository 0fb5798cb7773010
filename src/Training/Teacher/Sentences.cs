using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Teacher;

/// <summary>Writes the intent and strategy sentences of the offline teacher from varied templates (<c>sentences.yaml</c>).</summary>
internal sealed class Sentences
{
    private readonly SentenceFile _file = EmbeddedFile.ReadYaml<SentenceFile>("sentences.yaml");

    /// <param name="rule">The violated rule that decided, or null.</param>
    public (string Intent, string Strategy) Write(Label label, string category, string? rule, Decision decision, Draw draw)
    {
        var pair = decision switch
        {
            Decision.Refuse => _file.Refuse,
            Decision.Care => _file.Care,
            _ when category != Policy.NoCategory => _file.Answer,
            _ => label == Label.BorderlineSafe ? _file.Figurative : _file.Plain,
        };
        var wants = rule is null ? null : _file.Rules.GetValueOrDefault(rule);
        var support = _file.Support.TryGetValue(category, out var supports) ? draw.Of(supports) : "";
        var words = new Dictionary<string, string>
        {
            ["{harm}"] = wants is null ? "" : draw.Of(wants.Harm),
            ["{instead}"] = wants is null ? "" : draw.Of(wants.Instead),
            ["{topic}"] = _file.Topics.GetValueOrDefault(category, ""),
            ["{support}"] = support,
            ["{support_low}"] = support.Length == 0 ? "" : $"{char.ToLowerInvariant(support[0])}{support.AsSpan(1)}",
        };
        return (Fill(draw.Of(pair.Intent)), Fill(draw.Of(pair.Strategy)));

        string Fill(string template) => words.Aggregate(template, (text, word) => text.Replace(word.Key, word.Value, StringComparison.Ordinal));
    }

    private sealed class SentenceFile
    {
        public Pair Refuse { get; init; } = new();

        public Pair Care { get; init; } = new();

        public Pair Answer { get; init; } = new();

        public Pair Figurative { get; init; } = new();

        public Pair Plain { get; init; } = new();

        public Dictionary<string, string> Topics { get; init; } = [];

        public Dictionary<string, List<string>> Support { get; init; } = [];

        public Dictionary<string, Wants> Rules { get; init; } = [];
    }

    private sealed class Pair
    {
        public List<string> Intent { get; init; } = [];

        public List<string> Strategy { get; init; } = [];
    }

    private sealed class Wants
    {
        public List<string> Harm { get; init; } = [];

        public List<string> Instead { get; init; } = [];
    }
}
