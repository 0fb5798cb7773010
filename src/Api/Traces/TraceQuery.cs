using System.Globalization;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Traces;

/// <summary>Which call made a judgment.</summary>
internal enum JudgmentKind
{
    Assessment,
    Completion,
}

/// <summary>Which stored judgments to list.</summary>
/// <param name="After">The place in time behind which to go on, as <see cref="StoredJudgment.Place"/> says it; null for the newest.</param>
internal sealed record TraceQuery(int PageSize, string? After, Decision? Decision, JudgmentKind? Kind)
{
    public const int DefaultPageSize = 20;
    public const int MaxPageSize = 100;

    private static readonly string[] s_parameters = ["page_size", "page_token", "decision", "kind"];

    /// <summary>Reads the parameters of a list, or says everything that is wrong with them.</summary>
    /// <exception cref="ProblemException">A parameter is not valid.</exception>
    public static TraceQuery Read(IEnumerable<KeyValuePair<string, string>> parameters)
    {
        var errors = new List<FieldError>();
        var query = new TraceQuery(DefaultPageSize, null, null, null);
        var seen = new HashSet<string>();
        foreach (var (name, value) in parameters)
        {
            if (!s_parameters.Contains(name)) errors.Add(new("query", $"has an unknown parameter; there are {string.Join(", ", s_parameters)}"));
            else if (!seen.Add(name)) errors.Add(new(name, "is given more than once"));
            else query = query.With(name, value, errors);
        }

        return errors.Count == 0
            ? query
            : throw new ProblemException(Errors.InvalidRequest, "Mend the parameters that are named in errors.", errors);
    }

    private TraceQuery With(string name, string value, List<FieldError> errors)
    {
        switch (name)
        {
            case "page_size":
                if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size is > 0 and <= MaxPageSize) return this with { PageSize = size };
                errors.Add(new(name, $"must be a whole number from 1 to {MaxPageSize}"));
                return this;
            case "page_token":
                if (Guid.TryParseExact(value, "N", out _)) return this with { After = value.ToLowerInvariant() };
                errors.Add(new(name, "must be the next_page_token of another page"));
                return this;
            case "decision":
                return this with { Decision = Choice<Decision>(name, value, errors) };
            default:
                return this with { Kind = Choice<JudgmentKind>(name, value, errors) };
        }
    }

    private static T? Choice<T>(string name, string value, List<FieldError> errors)
        where T : struct, Enum
    {
        foreach (var choice in Enum.GetValues<T>())
        {
            if (WireName.Of(choice) == value) return choice;
        }

        errors.Add(new(name, $"must be one of {string.Join(", ", Enum.GetValues<T>().Select(WireName.Of))}"));
        return null;
    }
}
