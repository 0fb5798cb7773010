using System.ComponentModel.DataAnnotations;

namespace SaferGuard.Api.Configuration;

/// <summary>
/// What the service tells about itself. Section <c>Telemetry</c>. Where OTLP goes is said by OpenTelemetry's own variables, such as
/// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>.
/// </summary>
internal sealed class TelemetryOptions : IValidatableObject
{
    /// <summary>
    /// An address of its own for <c>/metrics</c>, such as <c>http://127.0.0.1:9464</c>, where no key is asked for. Without it, <c>/metrics</c>
    /// is one of the service's addresses, for keys that may read metrics.
    /// </summary>
    public Uri? MetricsUrl { get; set; }

    /// <summary>Puts the texts of prompts and answers on spans. Whoever reads the traces then reads them.</summary>
    public bool CaptureContent { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MetricsUrl is { } url && !(url.IsAbsoluteUri && url.Scheme == Uri.UriSchemeHttp && url.AbsolutePath == "/"))
            yield return new($"{nameof(MetricsUrl)} must be an http address without a path, such as http://127.0.0.1:9464.", [nameof(MetricsUrl)]);
    }
}
