using Microsoft.OpenApi;

namespace SaferGuard.Api.Tests.Operations;

public sealed class ApiDocumentTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task The_document_is_valid_and_lists_every_address()
    {
        var document = await ReadAsync();

        Assert.Equal(
            [
                "GET /livez", "GET /readyz", "GET /v1/models", "GET /v1/models/{id}", "GET /v1/policies", "GET /v1/policies/{id}",
                "GET /v1/policies/{id}/shadow", "GET /v1/policies/{id}/versions", "GET /v1/traces", "GET /v1/traces/{id}", "POST /v1/assess",
                "POST /v1/chat/completions", "POST /v1/complete", "POST /v1/moderations", "PUT /v1/policies/{id}",
            ],
            document.Paths.SelectMany(path => path.Value.Operations!.Keys.Select(method => $"{method} {path.Key}")).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/v1/assess", "400 401 403 409 413 415 422 429 503 504")]
    [InlineData("/v1/complete", "400 401 403 409 413 415 422 429 502 503 504")]
    [InlineData("/v1/traces", "400 401 403 429")]
    [InlineData("/v1/traces/{id}", "401 403 404 429")]
    [InlineData("/readyz", "503")]
    public async Task Errors_are_described_as_problems(string path, string statuses)
    {
        var operation = (await ReadAsync()).Paths[path].Operations!.Values.Single();

        Assert.Equal(statuses.Split(' '), operation.Responses!.Keys.Where(status => status != "200").Order(StringComparer.Ordinal));
        Assert.All(statuses.Split(' '), status => Assert.Contains("application/problem+json", operation.Responses[status].Content!.Keys));
    }

    [Theory]
    [InlineData("/v1/assess", "assess")]
    [InlineData("/v1/complete", "complete")]
    [InlineData("/v1/traces/{id}", "traces.read")]
    [InlineData("/v1/policies", "policies.read")]
    [InlineData("/v1/policies/{id}/versions", "policies.read")]
    [InlineData("/v1/policies/{id}/shadow", "policies.read")]
    public async Task The_scope_of_an_address_is_described(string path, string scope)
    {
        var document = await ReadAsync();

        var security = document.Paths[path].Operations!.Values.Single().Security!;
        Assert.Equal(["apiKey", "bearer"], document.Components!.SecuritySchemes!.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["bearer", "apiKey"], security.Select(requirement => requirement.Keys.Single().Reference.Id));
        Assert.All(security, requirement => Assert.Equal([scope], requirement.Values.Single()));
        Assert.Null(document.Paths["/livez"].Operations!.Values.Single().Security);
    }

    [Theory]
    [InlineData("/v1/assess")]
    [InlineData("/v1/complete")]
    public async Task The_key_of_a_repeated_request_is_described(string path)
    {
        var parameter = Assert.Single((await ReadAsync()).Paths[path].Operations!.Values.Single().Parameters!);

        Assert.Equal(("Idempotency-Key", ParameterLocation.Header, false), (parameter.Name, parameter.In, parameter.Required));
    }

    [Fact]
    public async Task Requests_are_described_as_strictly_as_they_are_read()
    {
        var schema = (await ReadAsync()).Components!.Schemas!["CompleteRequest"];

        Assert.Equal(
            ["input", "max_tokens", "messages", "model", "operating_point", "policy", "seed", "stream", "temperature", "trace"],
            schema.Properties!.Keys.Order(StringComparer.Ordinal));
        Assert.False(schema.AdditionalPropertiesAllowed);
        Assert.Equal(["input", "messages"], schema.OneOf!.SelectMany(choice => choice.Required!));
        Assert.Equal(("1", "4096"), (schema.Properties["max_tokens"].Minimum, schema.Properties["max_tokens"].Maximum));
        Assert.Equal(256, schema.Properties["messages"].MaxItems);
    }

    [Theory]
    [InlineData("TraceLevel", "brief full")]
    [InlineData("Decision", "answer care refuse")]
    [InlineData("Enforcement", "enforce monitor off")]
    [InlineData("Verdict", "clear not_applicable violated")]
    [InlineData("Risk", "high low medium none")]
    [InlineData("OperatingPoint", "balanced permissive strict")]
    [InlineData("Role", "assistant system tool user")]
    [InlineData("FinishReason", "interrupted length no_answer_source refused stop withheld")]
    [InlineData("OutputSource", "model policy upstream")]
    public async Task Every_value_of_an_enumeration_is_listed(string name, string values)
    {
        var schema = (await ReadAsync()).Components!.Schemas![name];

        Assert.Equal(values.Split(' '), schema.Enum!.Select(value => value.GetValue<string>()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_score_of_a_rule_is_explained()
    {
        var schema = (await ReadAsync()).Components!.Schemas!["RuleCheckBody"];

        Assert.Contains("probability that the rule is violated", schema.Properties!["score"].Description);
    }

    private async Task<OpenApiDocument> ReadAsync()
    {
        using var json = new MemoryStream((await service.GetAsync("/openapi/v1.json")).Body);
        var (document, diagnostic) = await OpenApiDocument.LoadAsync(json, "json", cancellationToken: TestContext.Current.CancellationToken);
        Assert.Empty(diagnostic!.Errors);
        return document!;
    }
}
