using System.Text;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Augmentation;

/// <summary>A generated text and what is known of it.</summary>
internal sealed record GeneratedText(string Text, Gold Gold);

/// <summary>
/// A family of templates with slots (<c>Grammars/*.yaml</c>). Sets of the same family share templates or fillers across labels, so that neither
/// a way of asking nor a word alone tells the label. Items of a slot are divided by " | "; a slot by rule is a map from rule (or category) to items.
/// </summary>
internal sealed class Grammar
{
    private const int MaxDepth = 8;

    private readonly GrammarFile _file;
    private readonly Dictionary<string, Slot> _slots;

    public Grammar(string name)
    {
        Name = name;
        _file = EmbeddedFile.ReadYaml<GrammarFile>($"{name}.yaml");
        _slots = _file.Slots.ToDictionary(slot => slot.Key, slot => Slot.Parse(slot.Value));
    }

    public string Name { get; }

    /// <summary>Every set's number of texts, or fewer where it has no more distinct ones.</summary>
    public IEnumerable<GeneratedText> Generate(int seed)
    {
        var seen = new HashSet<string>();
        for (var i = 0; i < _file.Sets.Count; i++)
        {
            var set = _file.Sets[i];
            var draw = new Draw(seed, $"{Name}/{i}");
            for (int made = 0, tries = 0; made < set.Rows && tries < 8 * set.Rows; tries++)
            {
                var generated = Generate(set, draw);
                if (!seen.Add(generated.Text)) continue;
                made++;
                yield return generated;
            }
        }
    }

    private GeneratedText Generate(TextSet set, Draw draw)
    {
        var key = set.Key is null ? set.Rule : draw.Of(_slots[set.Key].Keys);
        var filled = new Dictionary<string, string>();
        var text = Expand(set.Templates, set, key, filled, draw, MaxDepth);
        return new GeneratedText(text, set.ToGold(key, focus: set.Key is null ? null : filled.GetValueOrDefault(set.Key)));
    }

    private string Expand(string slot, TextSet set, string? key, Dictionary<string, string> filled, Draw draw, int depth)
    {
        var template = draw.Of(_slots[slot].Items(key));
        var text = new StringBuilder();
        for (var at = 0; at < template.Length;)
        {
            var open = template.IndexOf('{', at);
            if (open < 0 || depth == 0)
            {
                text.Append(template, at, template.Length - at);
                break;
            }

            var close = template.IndexOf('}', open);
            text.Append(template, at, open - at);
            var name = template[(open + 1)..close];
            name = set.With.GetValueOrDefault(name, name);
            // A slot that occurs twice in one text is filled once: "if {who} talks, {who} will pay".
            if (!filled.TryGetValue(name, out var filler)) filled[name] = filler = Expand(name, set, key, filled, draw, depth - 1);
            text.Append(filler);
            at = close + 1;
        }

        return text.ToString();
    }

    /// <summary>Items that are the same for every rule, or items by rule.</summary>
    private sealed class Slot
    {
        private readonly string[] _all = [];
        private readonly Dictionary<string, string[]> _byKey = [];

        private Slot(string[] all) => _all = all;

        private Slot(Dictionary<string, string[]> byKey)
        {
            _byKey = byKey;
            Keys = [.. byKey.SelectMany(k => Enumerable.Repeat(k.Key, k.Value.Length))];
        }

        /// <summary>Each key as often as it has items.</summary>
        public IReadOnlyList<string> Keys { get; } = [];

        public string[] Items(string? key) => key is not null && _byKey.TryGetValue(key, out var items) ? items : _all;

        public static Slot Parse(object value) => value is string text
            ? new Slot(Split(text))
            : new Slot(((Dictionary<object, object>)value).ToDictionary(k => (string)k.Key, k => Split((string)k.Value)));

        private static string[] Split(string text) =>
            text.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }

    private sealed class GrammarFile
    {
        public List<TextSet> Sets { get; init; } = [];

        public Dictionary<string, object> Slots { get; init; } = [];
    }

    private sealed class TextSet
    {
        /// <summary>harmful; care and topical (on a category, safe); figurative (sounds harmful, no category); benign.</summary>
        public string As { get; init; } = "";

        /// <summary>The slot by rule whose drawn key is the rule, or category, of the text.</summary>
        public string? Key { get; init; }

        /// <summary>The rule of every text of the set, where there is no key.</summary>
        public string? Rule { get; init; }

        /// <summary>Categories, divided by spaces, whose topical texts are answered with care.</summary>
        public string Care { get; init; } = "";

        public int Rows { get; init; }

        /// <summary>The slot that a text starts from.</summary>
        public string Templates { get; init; } = "";

        /// <summary>What a slot of shared templates stands for in this set.</summary>
        public Dictionary<string, string> With { get; init; } = [];

        public Gold ToGold(string? key, string? focus)
        {
            var category = key?.Split('.')[0];
            var decision = As switch
            {
                "harmful" => Decision.Refuse,
                "care" => Decision.Care,
                "topical" when Care.Split(' ').Contains(category) => Decision.Care,
                "topical" or "figurative" or "benign" => Decision.Answer,
                _ => throw new InvalidDataException($"A set of texts is '{As}'."),
            };
            var label = As switch
            {
                "harmful" => Label.Harmful,
                "benign" => Label.Benign,
                _ => Label.BorderlineSafe,
            };
            return new Gold(label, As is "figurative" or "benign" ? [] : [category!], decision, key, focus);
        }
    }
}
