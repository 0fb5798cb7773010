using Microsoft.Extensions.Options;
using SaferGuard.Api.Configuration;

namespace SaferGuard.Api.Telemetry;

/// <summary>
/// OpenTelemetry's own settings for where OTLP goes. The exporter passes over values that it cannot read; here they keep the service from starting.
/// </summary>
internal sealed class OtlpEndpoint(IConfiguration configuration) : IValidateOptions<TelemetryOptions>
{
    private const string EndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string ProtocolKey = "OTEL_EXPORTER_OTLP_PROTOCOL";

    public static bool IsSet(IConfiguration configuration) => !string.IsNullOrEmpty(configuration[EndpointKey]);

    public ValidateOptionsResult Validate(string? name, TelemetryOptions options)
    {
        var errors = new List<string>();
        if (IsSet(configuration) && !IsHttp(configuration[EndpointKey]))
            errors.Add($"{EndpointKey} must be an http or https address, such as http://collector:4317.");
        if (configuration[ProtocolKey] is not (null or "" or "grpc" or "http/protobuf")) errors.Add($"{ProtocolKey} must be grpc or http/protobuf.");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static bool IsHttp(string? address) => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
}
