using System.Text.Json;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>Log-odds that the parts of a judgment give.</summary>
/// <param name="Lexical">A refusal, by the words alone (<c>LexicalPrior</c>); 0 for bundles without one.</param>
/// <param name="Impression">A refusal, at the model's first impression.</param>
/// <param name="Category">Some category applies.</param>
/// <param name="Verdict">A refusing rule is violated, at its query token: the highest of those checked; 0 if none was.</param>
public sealed record StageReadings(double Lexical, double Impression, double Category, double Verdict);

/// <summary>A logistic function of the readings, fitted on dev rows.</summary>
public sealed record StageWeights(double Bias, double Lexical, double Impression, double Category, double Verdict)
{
    public double Probability(StageReadings readings) => 1 / (1 + Math.Exp(-(
        Bias + Lexical * readings.Lexical + Impression * readings.Impression + Category * readings.Category + Verdict * readings.Verdict)));
}

/// <summary>
/// <c>calibration.json</c> of a bundle: turns what each stage says into probabilities, and the thresholds that decide.
/// </summary>
/// <param name="Checked">Probability that the request must be refused, after the rules were checked; the likeliest violated rule carries it.</param>
/// <param name="Unchecked">Probability that the request must be refused, before any check.</param>
/// <param name="ViolationThreshold">A refusing rule is violated from this probability on.</param>
/// <param name="CareThreshold">
/// A rule that asks for care is violated from this probability on, and a request is answered with care from this probability of a refusal on.
/// </param>
/// <param name="CheckThreshold">Rules are checked from this unchecked probability on, even if "no category" is the likeliest category.</param>
/// <param name="CategoryThreshold">Further categories are verified from this share of the categories' probability on.</param>
public sealed record Calibration(
    StageWeights Checked, StageWeights Unchecked, double ViolationThreshold, double CareThreshold, double CheckThreshold, double CategoryThreshold)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>Takes the model's own probabilities as they are.</summary>
    public static Calibration Neutral { get; } = new(new(0, 0, 0, 0, 1), new(0, 0, 1, 0, 0), 0.5, 0.4, 0.25, 0.3);

    /// <exception cref="InvalidDataException">The text is not a calibration, or a number in it is out of range.</exception>
    public static Calibration Parse(ReadOnlySpan<byte> json)
    {
        Calibration? calibration;
        try
        {
            calibration = JsonSerializer.Deserialize<Calibration>(json, Json);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"calibration.json: {e.Message}", e);
        }

        if (calibration is not { Checked: not null, Unchecked: not null }) throw new InvalidDataException("calibration.json is empty.");
        double[] thresholds = [calibration.ViolationThreshold, calibration.CareThreshold, calibration.CheckThreshold, calibration.CategoryThreshold];
        if (!thresholds.All(t => t is > 0 and < 1)) throw new InvalidDataException("calibration.json: thresholds must lie between 0 and 1.");
        return calibration.CheckThreshold <= calibration.ViolationThreshold
            ? calibration
            : throw new InvalidDataException("calibration.json: what may be refused must be checked: check_threshold must not exceed violation_threshold.");
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);
}
