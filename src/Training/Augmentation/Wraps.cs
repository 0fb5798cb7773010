using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Teacher;

namespace SaferGuard.Training.Augmentation;

/// <summary>Puts the same frames around harmful and harmless requests, so that a frame alone is no reason to refuse.</summary>
internal sealed class Wraps
{
    /// <summary>That of attacks on the guard.</summary>
    public const string Category = "S14";

    private readonly string[] _names;
    private readonly string[] _light;
    private readonly (string Rule, string Template)[] _jailbreaks;

    public Wraps()
    {
        var file = EmbeddedFile.ReadYaml<WrapFile>("wraps.yaml");
        _names = file.Names.Split(" | ");
        _light = file.Light.Split(" | ");
        _jailbreaks = [.. file.Jailbreak.SelectMany(rule => rule.Value.Split(" | ").Select(template => (rule.Key, template)))];
    }

    public GeneratedText Jailbreak(TrainingRow row, Draw draw)
    {
        var (rule, template) = draw.Of(_jailbreaks);
        return new GeneratedText(Fill(template, ShortRequests.TextOf(row), draw), AsAttack(ShortRequests.GoldOf(row), rule));
    }

    /// <summary>A text in some jailbreak frame.</summary>
    public string Jailbreak(string text, Draw draw) => Fill(draw.Of(_jailbreaks).Template, text, draw);

    public GeneratedText Light(TrainingRow row, Draw draw) => new(Fill(draw.Of(_light), ShortRequests.TextOf(row), draw), ShortRequests.GoldOf(row));

    /// <summary>What is known of a request once an attack carries it: a harmless one stays safe, a harmful one is also an attack on the guard.</summary>
    public static Gold AsAttack(Gold gold, string rule) => gold.Label == Label.Harmful
        ? gold with { Categories = [Category, .. gold.Categories], Rule = rule, Focus = null, Risk = Risk.High }
        : gold with
        {
            Label = Label.BorderlineSafe,
            Categories = gold.Decision == Decision.Care ? [.. gold.Categories, Category] : [Category, .. gold.Categories],
            Risk = Risk.Low,
        };

    private string Fill(string template, string text, Draw draw) => template
        .Replace("{n}", draw.Of(_names), StringComparison.Ordinal)
        .Replace("{nl}", "\n", StringComparison.Ordinal)
        .Replace("{q}", text, StringComparison.Ordinal);

    private sealed class WrapFile
    {
        public string Names { get; init; } = "";

        public string Light { get; init; } = "";

        public Dictionary<string, string> Jailbreak { get; init; } = [];
    }
}
