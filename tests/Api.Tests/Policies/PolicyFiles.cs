using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Api.Tests.Policies;

/// <summary>Policy files of the rules that the bundled model has learnt.</summary>
internal static class PolicyFiles
{
    /// <summary>The default policy under another id, with further fields of single rules, such as <c>enforcement: monitor</c>.</summary>
    public static string Yaml(string id, string version = "1", params ReadOnlySpan<(string Rule, string Fields)> rules)
    {
        var yaml = Encoding.UTF8.GetString(PolicyReader.DefaultBytes())
            .Replace("id: default", $"id: {id}", StringComparison.Ordinal)
            .Replace("version: \"1\"", $"version: \"{version}\"", StringComparison.Ordinal);
        foreach (var (rule, fields) in rules)
        {
            var at = yaml.IndexOf($"- id: {rule}\n", StringComparison.Ordinal);
            var end = yaml.IndexOf("        text:", at, StringComparison.Ordinal);
            var lines = string.Concat(fields.Split("; ").Select(field => $"        {field}\n"));
            yaml = fields.Contains("effect:", StringComparison.Ordinal)
                ? $"{yaml[..at]}- id: {rule}\n{lines}{yaml[end..]}"
                : $"{yaml[..end]}{lines}{yaml[end..]}";
        }

        return yaml;
    }

    /// <summary>The default policy under another id, in JSON.</summary>
    public static string Json(string id) => JsonSerializer.Serialize(new
    {
        id,
        version = 1,
        categories = PolicyReader.Default.Categories.Select(category => new
        {
            id = category.Id,
            name = category.Name,
            objective = category.Objective,
            rules = category.Rules.Select(rule => new { id = rule.Id, text = rule.Text, effect = rule.Effect.ToString().ToLowerInvariant() }),
        }),
    });

    public static async Task<Reply> PutPolicyAsync(
        this Service service, string id, string policy, string contentType = "application/yaml", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v1/policies/{id}") { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(policy)) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await service.Client.SendAsync(request);
        return await Reply.OfAsync(response);
    }

    /// <summary>Judges the harmful prompt by a policy.</summary>
    public static Task<Reply> AssessByAsync(this Service service, string? policy, string prompt = Prompts.Harmful) =>
        service.AssessAsync(policy is null ? Prompts.Assess(prompt) : $$"""{"input": "{{prompt}}", "policy": "{{policy}}"}""");

    public static string Digest(string policy) => PolicyReader.DigestOf(Encoding.UTF8.GetBytes(policy));

    public static string Decision(this Reply reply) => reply.Json.GetProperty("decision").GetString()!;

    public static string PolicyDigest(this Reply reply) => reply.Json.GetProperty("policy").GetProperty("digest").GetString()!;

    public static string[] Violated(this Reply reply) => [.. reply.Json.GetProperty("trace").GetProperty("rule_check").EnumerateArray()
        .Where(check => check.GetProperty("verdict").GetString() == "violated")
        .Select(check => check.GetProperty("rule").GetString()!)];
}
