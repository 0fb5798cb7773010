using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Protocol.V1;
using SaferGuard.Reasoning;

namespace SaferGuard.Api.Tests.Grpc;

public sealed class RpcCancellationTests(Service service) : IClassFixture<Service>
{
    private readonly GuardService.GuardServiceClient _guard = new(service.Channel);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deadline_reaches_the_engine(bool stream)
    {
        var stored = await service.CountStoredAsync();
        var calls = Enumerable.Range(0, 16).Select(i => EndAsync(stream, i, new CallOptions(deadline: DateTime.UtcNow.AddMilliseconds(30))));

        Assert.Contains(StatusCode.DeadlineExceeded, await Task.WhenAll(calls));

        await AssertIdleAsync();
        // One judgment may have been finished in time; all of them cannot.
        Assert.InRange(await service.CountStoredAsync() - stored, 0, 12);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_leaves_frees_the_engine(bool stream)
    {
        using var leaving = new CancellationTokenSource(30);
        var calls = Enumerable.Range(0, 16).Select(i => EndAsync(stream, i, new CallOptions(cancellationToken: leaving.Token)));

        Assert.Contains(StatusCode.Cancelled, await Task.WhenAll(calls));

        await AssertIdleAsync();
        Assert.DoesNotContain(service.Log, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    /// <summary>How a call with a long prompt of its own ends.</summary>
    private async Task<StatusCode> EndAsync(bool stream, int call, CallOptions options)
    {
        try
        {
            var request = new CompleteRequest { Input = $"{call} {string.Join(' ', Enumerable.Repeat("tea", 3000))}" };
            if (!stream) await _guard.CompleteAsync(request, options);
            else
            {
                using var streamed = _guard.CompleteStream(request, options);
                await streamed.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken).LastAsync(TestContext.Current.CancellationToken);
            }

            return StatusCode.OK;
        }
        catch (RpcException fault)
        {
            return fault.StatusCode;
        }
    }

    private async Task AssertIdleAsync()
    {
        var guard = service.Services.GetRequiredService<Guard>();
        for (var attempt = 0; attempt < 200 && !IsIdle(); attempt++) await Task.Delay(25, TestContext.Current.CancellationToken);
        Assert.True(IsIdle(), guard.Statistics.ToString());
        await _guard.AssessAsync(new() { Input = "Hello" }, cancellationToken: TestContext.Current.CancellationToken);

        bool IsIdle() => guard.Statistics is { RunningRequests: 0, WaitingRequests: 0, UsedBlocks: 0 };
    }
}
