using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>Log-odds that the parts of a judgment give.</summary>
/// <param name="Lexical">A refusal, by the words alone (<c>LexicalPrior</c>); 0 for bundles without one.</param>
/// <param name="Impression">A refusal, at the model's first impression.</param>
/// <param name="Category">Some category applies.</param>
/// <param name="Verdict">A refusing rule is violated, at its query token: the highest of those checked; 0 if none was.</param>
public sealed record StageReadings(double Lexical, double Impression, double Category, double Verdict);

/// <summary>Log-odds that a rule is violated, at its query token.</summary>
public sealed record RuleReading(string Rule, double Violated);

/// <summary>A logistic function of the readings, fitted on dev rows.</summary>
public sealed record StageWeights(double Bias, double Lexical, double Impression, double Category, double Verdict)
{
    public double Probability(StageReadings readings) => 1 / (1 + Math.Exp(-(
        Bias + Lexical * readings.Lexical + Impression * readings.Impression + Category * readings.Category + Verdict * readings.Verdict)));
}

/// <summary>The thresholds of one operating point; see <see cref="Calibration"/>.</summary>
/// <param name="FalsePositiveRate">Share of the harmless dev rows that was allowed to be refused when they were fitted.</param>
public sealed record Thresholds(double ViolationThreshold, double CareThreshold, double CheckThreshold, double? FalsePositiveRate = null)
{
    internal bool AreInOrder => ViolationThreshold is > 0 and < 1 && CareThreshold is > 0 and < 1 && CheckThreshold > 0 && CheckThreshold <= ViolationThreshold;
}

/// <summary>The operating points of a bundle beside the balanced one.</summary>
public sealed record OperatingPoints(Thresholds Strict, Thresholds Permissive);

/// <summary>
/// <c>calibration.json</c> of a bundle: turns what each stage says into probabilities, and the thresholds that decide:
/// those of the balanced operating point, and of the others where it has them.
/// </summary>
/// <param name="Checked">Probability that the request must be refused, after the rules were checked; the likeliest violated rule carries it.</param>
/// <param name="Unchecked">Probability that the request must be refused, before any check.</param>
/// <param name="ViolationThreshold">A refusing rule is violated from this probability on.</param>
/// <param name="CareThreshold">
/// A rule that asks for care is violated from this probability on, and a request is answered with care from this probability of a refusal on.
/// </param>
/// <param name="CheckThreshold">Rules are checked from this unchecked probability on, even if "no category" is the likeliest category.</param>
/// <param name="CategoryThreshold">Further categories are verified from this share of the categories' probability on.</param>
/// <param name="VerdictTemperature">Divides the log-odds of a rule's violation; above 1 where the model is too sure of its verdicts.</param>
/// <param name="FalsePositiveRate">That of the balanced point; see <see cref="Thresholds"/>.</param>
public sealed record Calibration(
    StageWeights Checked, StageWeights Unchecked, double ViolationThreshold, double CareThreshold, double CheckThreshold, double CategoryThreshold,
    double VerdictTemperature = 1, double? FalsePositiveRate = null, OperatingPoints? OperatingPoints = null)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Takes the model's own probabilities as they are.</summary>
    public static Calibration Neutral { get; } = new(new(0, 0, 0, 0, 1), new(0, 0, 1, 0, 0), 0.5, 0.4, 0.25, 0.3);

    /// <summary>The operating points that the bundle has.</summary>
    [JsonIgnore]
    public IReadOnlyList<OperatingPoint> Points => OperatingPoints is null ? [OperatingPoint.Balanced] : Enum.GetValues<OperatingPoint>();

    /// <summary>The same probabilities with the thresholds of an operating point.</summary>
    /// <exception cref="ArgumentException">The bundle does not have it; see <see cref="Points"/>.</exception>
    public Calibration At(OperatingPoint point)
    {
        if (!Points.Contains(point)) throw new ArgumentException($"The bundle has no operating point '{point}'.", nameof(point));
        var thresholds = ThresholdsAt(point);
        return this with
        {
            ViolationThreshold = thresholds.ViolationThreshold,
            CareThreshold = thresholds.CareThreshold,
            CheckThreshold = thresholds.CheckThreshold,
        };
    }

    /// <summary>Probability that a rule is violated, from the model's own.</summary>
    public double Violation(double probability) => VerdictTemperature == 1
        ? probability
        : 1 / (1 + Math.Exp(-TokenChoice.LogOdds(probability) / VerdictTemperature));

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

        if (calibration is null) throw new InvalidDataException("calibration.json is empty.");
        var points = calibration.Points.Select(calibration.ThresholdsAt).ToList();
        if (!points.All(p => p.AreInOrder) || calibration.CategoryThreshold is not (> 0 and < 1))
        {
            throw new InvalidDataException(
                "calibration.json: thresholds must lie between 0 and 1, and what may be refused must be checked: check_threshold must not exceed violation_threshold.");
        }

        if (points.Zip(points.Skip(1)).Any(p => p.First.ViolationThreshold > p.Second.ViolationThreshold))
            throw new InvalidDataException("calibration.json: the strict point must not refuse less than the balanced one, nor that less than the permissive one.");
        return calibration.VerdictTemperature is > 0 and < double.PositiveInfinity
            ? calibration
            : throw new InvalidDataException("calibration.json: verdict_temperature must be above 0.");
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    private Thresholds ThresholdsAt(OperatingPoint point) => point switch
    {
        OperatingPoint.Strict => OperatingPoints!.Strict,
        OperatingPoint.Permissive => OperatingPoints!.Permissive,
        _ => new Thresholds(ViolationThreshold, CareThreshold, CheckThreshold),
    };
}
