using System.ComponentModel.DataAnnotations;
using SaferGuard.Api.Operations;

namespace SaferGuard.Api.Upstream;

/// <summary>The OpenAI-compatible server that answers what is not refused. Section <c>Upstream</c>.</summary>
internal sealed class UpstreamOptions : IValidatableObject
{
    /// <summary>For example <c>https://api.openai.com/v1</c>; <c>/chat/completions</c> is added. Without it, nothing is forwarded.</summary>
    public Uri? BaseUrl { get; set; }

    /// <summary>Sent as a bearer token. Give it by the environment (<c>Upstream__ApiKey</c>), or better in a file.</summary>
    public string? ApiKey { get; set; }

    /// <summary>A file that holds the key. It is read again for each call, so that a key can be changed while the service runs.</summary>
    public string? ApiKeyFile { get; set; }

    /// <summary>The upstream's name of the model that answers where a request names none.</summary>
    public string? Model { get; set; }

    /// <summary>The models that a request may name. Where there is none, a request may name any, and the name is forwarded as it is.</summary>
    public IList<UpstreamModel> Models { get; set; } = [];

    /// <summary>From the request to the end of the answer, retries and waiting included.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan TotalTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Of one attempt, up to the first piece of its answer.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Between two pieces of a streamed answer.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Further attempts after one that failed before the first piece of its answer.</summary>
    [Range(0, 10)]
    public int Retries { get; set; } = 2;

    /// <summary>Before the first retry; it doubles, with jitter. An upstream's Retry-After goes before it.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>An upstream that asks for a longer pause than this is not waited for: the caller is told to come later.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>So many attempts within half a minute, half of them failed, stop all calls for <see cref="BreakDuration"/>.</summary>
    [Range(2, 100_000)]
    public int BreakAfter { get; set; } = 20;

    [Range(typeof(TimeSpan), "00:00:00.500", "01:00:00")]
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Answers that are written at the same time.</summary>
    [Range(1, 100_000)]
    public int MaxConcurrent { get; set; } = 128;

    /// <summary>Requests that wait for one of these to end; one more is refused (503).</summary>
    [Range(0, 100_000)]
    public int MaxWaiting { get; set; } = 256;

    /// <summary>The most bytes that the upstream may send for one answer.</summary>
    [Range(1024, 256 * 1024 * 1024)]
    public int MaxAnswerBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>The names that requests may use, as far as they are known.</summary>
    public IEnumerable<string> Names => Models.Count > 0 ? Models.Select(known => known.Name) : Model is null ? [] : [Model];

    /// <summary>The upstream's name of a model; null for the default one.</summary>
    /// <exception cref="ProblemException">A request may not name this model.</exception>
    public string NameOf(string? model)
    {
        if (model is null) return Model!;
        if (Models.FirstOrDefault(known => known.Name == model) is { } known) return known.Model;
        return Models.Count == 0 ? model : throw new ProblemException(
            Errors.ModelNotFound, "Name another model, or none. Nothing was judged.", new FieldError("model", $"must be one of {string.Join(", ", Names)}"));
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (BaseUrl is null)
        {
            if (ApiKey is not null || ApiKeyFile is not null || Model is not null || Models.Count > 0)
                yield return new("Upstream: BaseUrl is missing, but other settings of an upstream are given.", [nameof(BaseUrl)]);
            yield break;
        }

        if (!BaseUrl.IsAbsoluteUri || BaseUrl.Scheme is not ("http" or "https") || BaseUrl.UserInfo.Length > 0 || BaseUrl.Query.Length + BaseUrl.Fragment.Length > 0)
            yield return new("Upstream: BaseUrl must be an http or https address without user, query and fragment.", [nameof(BaseUrl)]);
        if (string.IsNullOrWhiteSpace(Model)) yield return new("Upstream: Model must name the model that answers where a request names none.", [nameof(Model)]);
        if (ApiKey is not null && ApiKeyFile is not null) yield return new("Upstream: give ApiKey or ApiKeyFile, not both.", [nameof(ApiKeyFile)]);
        if (UpstreamKey.WhyUnusable(this) is { } reason) yield return new($"Upstream: {reason}", [nameof(ApiKey)]);
        if (Models.Any(model => string.IsNullOrWhiteSpace(model.Name) || string.IsNullOrWhiteSpace(model.Model)))
            yield return new("Upstream: each of Models must have a Name and a Model.", [nameof(Models)]);
        if (Models.GroupBy(model => model.Name).Any(same => same.Count() > 1)) yield return new("Upstream: Models has a Name twice.", [nameof(Models)]);
    }
}

/// <summary>A model that requests may name.</summary>
internal sealed class UpstreamModel
{
    /// <summary>The name that requests use.</summary>
    public string Name { get; set; } = "";

    /// <summary>The name that the upstream knows it by.</summary>
    public string Model { get; set; } = "";
}
