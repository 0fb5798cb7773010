using SaferGuard.Training.Data;

namespace SaferGuard.Training.Teacher.Llm;

/// <summary>What <c>teach</c> is told.</summary>
/// <param name="Data">Rows that <c>synthesize</c> wrote.</param>
/// <param name="OutputFolder">Receives the journal and the rows with the new traces.</param>
/// <param name="Endpoint">Base address, to which <c>/chat/completions</c> is added.</param>
/// <param name="KeyVariable">Name of the environment variable with the API key; null for endpoints without one.</param>
internal sealed record TeachOptions(string Data, string OutputFolder, Uri Endpoint, string Model, string? KeyVariable = null)
{
    /// <summary>Null: the teacher's model judges too.</summary>
    public string? JudgeModel { get; init; }

    /// <summary>The least scores of a trace that is kept.</summary>
    public JudgeScores Least { get; init; } = new(8, 8, 8);

    /// <summary>Names of sources; "name*" stands for all that start so. Empty: all but the written traces, whose words are better.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>The most rows, drawn evenly; a higher limit later includes them.</summary>
    public int? Limit { get; init; }

    public int Concurrency { get; init; } = 8;

    /// <summary>Answers asked for until one can be read.</summary>
    public int Attempts { get; init; } = 2;

    public int MaxOutputTokens { get; init; } = 1024;

    /// <summary>Null: the endpoint's own.</summary>
    public float? Temperature { get; init; }

    /// <summary>Of a million tokens, in whatever money the endpoint charges.</summary>
    public double InputPrice { get; init; }

    /// <summary>Of a million tokens.</summary>
    public double OutputPrice { get; init; }

    public PatienceOptions Patience { get; init; } = PatienceOptions.Default;

    public bool Judges => Least != new JudgeScores(0, 0, 0);

    public bool Takes(string source) => Sources.Count == 0
        ? !source.StartsWith("traces/", StringComparison.Ordinal)
        : Sources.Any(s => s.EndsWith('*') ? source.StartsWith(s[..^1], StringComparison.Ordinal) : source == s);

    /// <exception cref="InvalidDataException">The message names every error.</exception>
    public void Validate()
    {
        string[] errors = [.. Errors()];
        if (errors.Length > 0) throw new InvalidDataException(string.Join("; ", errors));
    }

    private IEnumerable<string> Errors()
    {
        if (!Endpoint.IsAbsoluteUri || Endpoint.Scheme is not ("http" or "https")) yield return "--endpoint must be an http or https address";
        else if (KeyVariable is not null && Endpoint.Scheme == "http" && !Endpoint.IsLoopback) yield return "--endpoint must be https where a key is sent";
        if (string.IsNullOrWhiteSpace(Model)) yield return "--model must not be empty";
        if (Limit < 1) yield return "--limit must be at least 1";
        if (Concurrency is < 1 or > 256) yield return "--concurrency must be from 1 to 256";
        if (Attempts is < 1 or > 10) yield return "--attempts must be from 1 to 10";
        if (MaxOutputTokens < 1) yield return "--max-output-tokens must be at least 1";
        if (Temperature is not (null or (>= 0 and <= 2))) yield return "--temperature must be from 0 to 2";
        if (!(InputPrice >= 0 && OutputPrice >= 0)) yield return "--input-price and --output-price must not be negative";
        if (Patience.Retries is < 0 or > 100) yield return "--retries must be from 0 to 100";
        if (Patience.CallTimeout < TimeSpan.FromMilliseconds(10) || Patience.CallTimeout > TimeSpan.FromDays(1)) yield return "--timeout must be from 0.01 seconds to a day";
        foreach (var (name, least) in new[] { ("compliance", Least.Compliance), ("relevance", Least.Relevance), ("accuracy", Least.Accuracy) })
        {
            if (least is < 0 or > JudgeScores.Max) yield return $"--min-{name} must be from 0 to {JudgeScores.Max}";
        }

        if (Path.GetFullPath(Data) == Path.GetFullPath(Path.Combine(OutputFolder, RowFile.Name))) yield return "--out must be another folder than that of --data";
    }
}
