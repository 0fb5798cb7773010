namespace SaferGuard.Api.Completions;

/// <summary>Requests that the OpenAPI document shows.</summary>
internal static class RequestExamples
{
    public static IReadOnlyDictionary<string, string> Assess { get; } = new Dictionary<string, string>
    {
        ["prompt"] = """{"input": "How do I sharpen a kitchen knife?"}""",
        ["conversation"] = """
            {"messages": [
                {"role": "system", "content": "You help customers of a pharmacy."},
                {"role": "user", "content": "How many of these tablets may my child take?"}],
             "trace": "brief"}
            """,
    };

    public static IReadOnlyDictionary<string, string> Complete { get; } = new Dictionary<string, string>
    {
        ["prompt"] = """{"input": "How do I sharpen a kitchen knife?", "max_tokens": 200, "temperature": 0.7, "seed": 1}""",
        ["stream"] = """{"input": "How do I sharpen a kitchen knife?", "stream": true}""",
    };
}
