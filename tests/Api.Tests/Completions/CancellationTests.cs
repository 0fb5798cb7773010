using System.Text;

namespace SaferGuard.Api.Tests.Completions;

public sealed class CancellationTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task Callers_who_go_away_leave_a_service_that_works_and_a_log_without_errors()
    {
        var text = string.Join(' ', Enumerable.Repeat("tea", 300));
        var callers = Enumerable.Range(0, 64).Select(async i =>
        {
            using var leaving = new CancellationTokenSource(TimeSpan.FromMilliseconds(i));
            using var content = new StringContent($$"""{"input": "{{text}}", "stream": {{(i % 2 == 0 ? "true" : "false")}}}""", Encoding.UTF8, "application/json");
            try
            {
                using var response = await service.Client.PostAsync("/v1/complete", content, leaving.Token);
                return false;
            }
            catch (OperationCanceledException)
            {
                return true;
            }
        });

        var left = await Task.WhenAll(callers);

        Assert.Contains(true, left);
        Assert.Equal(200, (await service.AssessAsync(Prompts.Assess("Hello"))).Status);
        Assert.Equal(200, (await service.GetAsync("/readyz")).Status);
        Assert.DoesNotContain(service.Log, line => line.StartsWith("Error", StringComparison.Ordinal) || line.StartsWith("Critical", StringComparison.Ordinal));
    }
}
