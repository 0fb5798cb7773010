using SaferGuard.Reasoning.Policies;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Teacher;

/// <summary>A phrase of a rule found in a text; offsets are UTF-16. Phrases of many words and of few rules weigh more.</summary>
internal readonly record struct LexiconMatch(string Rule, string Phrase, int Start, int End, double Weight);

/// <summary>What each rule sounds like (<c>lexicon.yaml</c>): tells rules of a known category apart and finds evidence.</summary>
internal sealed class Lexicon
{
    private readonly Dictionary<string, List<Entry>> _entriesByFirstStem = [];
    private readonly Policy _policy;
    private readonly int _longestFirstStem;

    public Lexicon(Policy policy)
    {
        _policy = policy;
        var file = EmbeddedFile.ReadYaml<LexiconFile>("lexicon.yaml");
        GeneralRules = file.General;
        CareRules = file.Care;
        var phrases = file.Rules.SelectMany(r => r.Value.Select(phrase => (Rule: r.Key, Phrase: phrase))).GroupBy(p => p.Phrase);
        foreach (var phrase in phrases)
        {
            var stems = Words(phrase.Key).Select(w => phrase.Key[w]).ToArray();
            var weight = stems.Length / (double)phrase.Count();
            foreach (var (rule, text) in phrase)
            {
                var entry = new Entry(rule, text, stems, OpenEnd: text.EndsWith('*'), weight);
                if (!_entriesByFirstStem.TryGetValue(stems[0], out var entries)) _entriesByFirstStem[stems[0]] = entries = [];
                entries.Add(entry);
            }
        }

        _longestFirstStem = _entriesByFirstStem.Keys.Max(stem => stem.Length);
    }

    /// <summary>By category: the refuse rule that is taken when no phrase tells.</summary>
    public IReadOnlyDictionary<string, string> GeneralRules { get; }

    /// <summary>By category: the care rule that is taken when no phrase tells.</summary>
    public IReadOnlyDictionary<string, string> CareRules { get; }

    public List<LexiconMatch> Find(string text)
    {
        var lower = text.ToLowerInvariant();
        var words = Words(lower);
        var matches = new List<LexiconMatch>();
        for (var i = 0; i < words.Count; i++)
        {
            var word = lower[words[i]];
            for (var length = 1; length <= Math.Min(word.Length, _longestFirstStem); length++)
            {
                if (!_entriesByFirstStem.TryGetValue(word[..length], out var entries)) continue;
                foreach (var entry in entries)
                {
                    if (entry.FitsAt(lower, words, i))
                    {
                        var end = words[i + entry.Stems.Length - 1].End.Value;
                        matches.Add(new LexiconMatch(entry.Rule, entry.Phrase, words[i].Start.Value, end, entry.Weight));
                    }
                }
            }
        }

        return matches;
    }

    /// <summary>The category whose refuse rules fit the text best, or null when no phrase occurs.</summary>
    public string? BestCategory(string text) => Best(Find(text).Where(m => IsRefuse(m.Rule)), m => CategoryOf(m.Rule));

    /// <summary>The rule that the matches speak for, or null when there are none.</summary>
    public static string? BestRule(IEnumerable<LexiconMatch> matches) => Best(matches, m => m.Rule);

    public static string CategoryOf(string rule) => rule[..rule.IndexOf('.')];

    private bool IsRefuse(string rule) => _policy.TryGetRule(rule, out var found) && found.Effect == RuleEffect.Refuse;

    /// <summary>Repeating a phrase adds nothing; ties go to the key that sorts first, so that the result does not hang on order.</summary>
    private static string? Best(IEnumerable<LexiconMatch> matches, Func<LexiconMatch, string> key) =>
        matches.DistinctBy(m => (m.Rule, m.Phrase)).GroupBy(key)
            .OrderByDescending(g => g.Sum(m => m.Weight)).ThenBy(g => g.Key, StringComparer.Ordinal)
            .FirstOrDefault()?.Key;

    /// <summary>Runs of letters, digits and apostrophes.</summary>
    private static List<Range> Words(string text)
    {
        var words = new List<Range>();
        var start = -1;
        for (var i = 0; i <= text.Length; i++)
        {
            var inWord = i < text.Length && (char.IsLetterOrDigit(text[i]) || text[i] == '\'');
            if (inWord && start < 0) start = i;
            if (inWord || start < 0) continue;
            words.Add(start..i);
            start = -1;
        }

        return words;
    }

    private sealed record Entry(string Rule, string Phrase, string[] Stems, bool OpenEnd, double Weight)
    {
        public bool FitsAt(string text, List<Range> words, int at)
        {
            if (at + Stems.Length > words.Count) return false;
            for (var i = 0; i < Stems.Length; i++)
            {
                var word = text.AsSpan()[words[at + i]];
                var mayGoOn = OpenEnd && i == Stems.Length - 1;
                if (mayGoOn ? !word.StartsWith(Stems[i], StringComparison.Ordinal) : !word.SequenceEqual(Stems[i])) return false;
            }

            return true;
        }
    }

    private sealed class LexiconFile
    {
        public Dictionary<string, string> General { get; init; } = [];

        public Dictionary<string, string> Care { get; init; } = [];

        public Dictionary<string, List<string>> Rules { get; init; } = [];
    }
}
