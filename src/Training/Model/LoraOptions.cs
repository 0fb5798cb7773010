using System.Text.Json.Serialization;

namespace SaferGuard.Training.Model;

/// <summary>Low-rank adaptation: every weight is frozen, and beside each chosen projection a product of two thin matrices is trained.</summary>
internal sealed record LoraOptions
{
    /// <summary>The projections of a layer.</summary>
    public static readonly IReadOnlyList<string> Projections = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    /// <summary>The thin side of the two matrices.</summary>
    public int Rank { get; init; } = 16;

    /// <summary>The product is multiplied by this over <see cref="Rank"/>.</summary>
    public double Alpha { get; init; } = 32;

    /// <summary>Dropout of what the product reads.</summary>
    public double Dropout { get; init; } = 0.05;

    /// <summary>Names of the projections that are adapted, separated by commas.</summary>
    public string Targets { get; init; } = string.Join(',', Projections);

    [JsonIgnore] public double Scale => Alpha / Rank;

    /// <summary>Whether a module of this name is adapted.</summary>
    public bool Adapts(string module) => Names.Contains(module[(module.LastIndexOf('.') + 1)..]);

    /// <summary>What is out of range, by the recipe's names.</summary>
    public IEnumerable<string> Errors()
    {
        if (Rank is < 1 or > 1024) yield return "lora rank must lie between 1 and 1024";
        if (!(Alpha > 0 && double.IsFinite(Alpha))) yield return "lora alpha must be above 0";
        if (!(Dropout is >= 0 and < 1)) yield return "lora dropout must lie between 0 and 1";
        if (Names.Except(Projections).ToList() is { Count: > 0 } unknown)
            yield return $"lora targets '{string.Join(", ", unknown)}' are no projections ({string.Join(", ", Projections)} are)";
    }

    private string[] Names => Targets.Split(',', StringSplitOptions.TrimEntries);
}
