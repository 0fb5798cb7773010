using System.Text.Json;
using System.Text.Json.Serialization;

namespace SaferGuard.Client;

/// <summary>The JSON of the service. Fields that this client does not know are passed over; a decision that it does not know is an error.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    Converters = [
        typeof(SnakeCase<Role>), typeof(SnakeCase<TraceLevel>), typeof(SnakeCase<OperatingPoint>), typeof(SnakeCase<Decision>), typeof(SnakeCase<Verdict>),
        typeof(SnakeCase<Risk>), typeof(SnakeCase<OutputSource>), typeof(SnakeCase<FinishReason>), typeof(SnakeCase<DegradedPart>),
    ])]
[JsonSerializable(typeof(AssessRequest))]
[JsonSerializable(typeof(CompleteRequest))]
[JsonSerializable(typeof(Assessment))]
[JsonSerializable(typeof(Completion))]
[JsonSerializable(typeof(IReadOnlyList<RuleCheck>))]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(OutputPiece))]
[JsonSerializable(typeof(Degradation))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(TracePage))]
internal sealed partial class WireJson : JsonSerializerContext;

/// <summary>Problem details keep the names of RFC 9457.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Problem))]
internal sealed partial class ProblemJson : JsonSerializerContext;

/// <summary>A part of the trace that comes again, whole.</summary>
internal sealed record Explanation(AssessmentStage? Assessment = null, IReadOnlyList<RuleCheck>? RuleCheck = null, PathStage? Path = null);

/// <summary>Some of the stored judgments; <paramref name="NextPageToken"/> is null on the last page.</summary>
internal sealed record TracePage(IReadOnlyList<JsonElement> Data, string? NextPageToken = null);

/// <summary>A piece of the output.</summary>
internal sealed record OutputPiece(string Text);

internal sealed class SnakeCase<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

internal sealed class UnixSeconds : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64());

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.ToUnixTimeSeconds());
}
