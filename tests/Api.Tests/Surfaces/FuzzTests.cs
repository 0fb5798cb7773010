using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using CsCheck;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Reasoning;

namespace SaferGuard.Api.Tests.Surfaces;

/// <summary>Hostile requests over every surface. <c>SAFERGUARD_FUZZ=10000</c> makes it as many.</summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int DefaultCount = 600;
    private const string Rpc = "saferguard.v1.GuardService";

    private static readonly Marshaller<byte[]> s_bytes = Marshallers.Create(bytes => bytes, bytes => bytes);

    [Fact]
    public async Task Hostile_requests_get_an_answer_that_is_no_fault_of_the_service_and_leave_nothing_behind()
    {
        var count = int.TryParse(Environment.GetEnvironmentVariable("SAFERGUARD_FUZZ"), CultureInfo.InvariantCulture, out var asked) ? asked : DefaultCount;
        await using var service = new Service { Settings = { ["Model:Path"] = AnsweringModel.Folder, ["Limits:MaxAnswerTokens"] = "8", ["Limits:MaxBodyBytes"] = "65536" } };
        await service.InitializeAsync();
        var answers = new ConcurrentDictionary<string, int>();

        await HostileRequests.Any.SampleAsync(
            async request =>
            {
                var answer = request.Path.StartsWith('/') ? await HttpAsync(service, request) : await GrpcAsync(service, request);
                answers.AddOrUpdate(answer, 1, (_, seen) => seen + 1);
                if (answer.Contains("HTTP 5", StringComparison.Ordinal)) return false;
                return !answer.EndsWith(" Unknown", StringComparison.Ordinal) && !answer.EndsWith(" Internal", StringComparison.Ordinal)
                    && !answer.EndsWith(" Unavailable", StringComparison.Ordinal);
            },
            iter: count, threads: 4);

        foreach (var (answer, times) in answers.OrderBy(item => item.Key, StringComparer.Ordinal)) output.WriteLine($"{times,6}  {answer}");
        await AssertUntouchedAsync(service);
    }

    /// <summary>No slot, no block and no error is left, and the service judges as it did before.</summary>
    private static async Task AssertUntouchedAsync(Service service)
    {
        var guard = service.Services.GetRequiredService<Guard>();
        for (var attempt = 0; attempt < 200 && !IsIdle(); attempt++) await Task.Delay(25, TestContext.Current.CancellationToken);
        Assert.True(IsIdle(), guard.Statistics.ToString());
        Assert.Equal("refuse", (await service.AssessAsync(Prompts.Assess(Prompts.Harmful))).Json.GetProperty("decision").GetString());
        Assert.Equal(200, (await service.GetAsync("/readyz")).Status);
        Assert.DoesNotContain(service.Log, line => line.StartsWith("Error", StringComparison.Ordinal) || line.StartsWith("Critical", StringComparison.Ordinal));

        bool IsIdle() => guard.Statistics is { RunningRequests: 0, WaitingRequests: 0, UsedBlocks: 0 };
    }

    private static async Task<string> HttpAsync(Service service, HostileRequest request)
    {
        var reply = request.Body is null ? await service.GetAsync(request.Path) : await service.PostAsync(request.Path, request.Body);
        var path = request.Path.Split('?')[0];
        if (path.StartsWith("/v1/traces/", StringComparison.Ordinal)) path = "/v1/traces/…";
        // Whatever is said is JSON, or a stream that ends as streams do.
        if (reply.ContentType == "text/event-stream") Assert.True(reply.Text.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal) || reply.Text.Contains("error", StringComparison.Ordinal));
        else if (reply.Body.Length > 0) JsonDocument.Parse(reply.Body).Dispose();
        return $"{path} HTTP {reply.Status}";
    }

    private static async Task<string> GrpcAsync(Service service, HostileRequest request)
    {
        var calls = service.Channel.CreateCallInvoker();
        try
        {
            if (request.Path == "CompleteStream")
            {
                using var call = calls.AsyncServerStreamingCall(
                    new Method<byte[], byte[]>(MethodType.ServerStreaming, Rpc, request.Path, s_bytes, s_bytes), null, default, request.Body!);
                while (await call.ResponseStream.MoveNext())
                {
                }
            }
            else
            {
                await calls.AsyncUnaryCall(new Method<byte[], byte[]>(MethodType.Unary, Rpc, request.Path, s_bytes, s_bytes), null, default, request.Body!);
            }

            return $"{request.Path} OK";
        }
        catch (RpcException fault)
        {
            return $"{request.Path} {fault.StatusCode}";
        }
    }
}

/// <summary>One request: GET where there is no body.</summary>
/// <param name="Path">An address of HTTP, or the name of a gRPC method.</param>
internal sealed record HostileRequest(string Path, byte[]? Body)
{
    public override string ToString() => $"{Path} {(Body is null ? "" : Convert.ToBase64String(Body))}";
}
