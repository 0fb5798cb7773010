using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Policies;
using SaferGuard.Api.Policies.Examples;
using SaferGuard.Api.Policies.Shadow;
using SaferGuard.Api.Traces;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api;

/// <summary>The JSON of this service: what is written, and what the OpenAPI document describes.</summary>
[JsonSerializable(typeof(AssessRequest))]
[JsonSerializable(typeof(CompleteRequest))]
[JsonSerializable(typeof(JudgmentBody))]
[JsonSerializable(typeof(CompletionBody))]
[JsonSerializable(typeof(OutputEvent))]
[JsonSerializable(typeof(Degradation))]
[JsonSerializable(typeof(TraceListBody))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(Health))]
[JsonSerializable(typeof(PolicyListBody))]
[JsonSerializable(typeof(PolicySummary))]
[JsonSerializable(typeof(PolicyVersionsBody))]
[JsonSerializable(typeof(ShadowReport))]
[JsonSerializable(typeof(ExampleReport))]
[JsonSerializable(typeof(InvalidPolicyReport))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    public static ApiJson Body { get; } = new(Configured(new JsonSerializerOptions()));

    public static JsonSerializerOptions Configured(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.NumberHandling = JsonNumberHandling.Strict;
        // Bodies are served as application/json with nosniff, never inside HTML: quoted text stays readable in every script.
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new SnakeCase<Role>());
        options.Converters.Add(new SnakeCase<TraceLevel>());
        options.Converters.Add(new SnakeCase<OperatingPoint>());
        options.Converters.Add(new SnakeCase<Enforcement>());
        options.Converters.Add(new SnakeCase<Risk>());
        options.Converters.Add(new SnakeCase<Verdict>());
        options.Converters.Add(new SnakeCase<Decision>());
        options.Converters.Add(new SnakeCase<OutputSource>());
        options.Converters.Add(new SnakeCase<FinishReason>());
        options.Converters.Add(new SnakeCase<Subject>());
        options.Converters.Add(new SnakeCase<WithheldReason>());
        options.Converters.Add(new SnakeCase<DegradedPart>());
        return options;
    }

    private sealed class SnakeCase<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
        where T : struct, Enum;
}
