using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Protocol.V1;
using SaferGuard.Reasoning;

namespace SaferGuard.Api.Tests.Grpc;

public sealed class RpcCancellationTests(Service service) : IClassFixture<Service>
{
    private static readonly string s_long = string.Join(' ', Enumerable.Repeat("tea", 3000));

    private readonly GuardService.GuardServiceClient _guard = new(service.Channel);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deadline_reaches_the_engine_and_nothing_is_stored(bool stream)
    {
        var stored = await service.CountStoredAsync();
        var calls = Enumerable.Range(0, 8).Select(_ => EndAsync(stream, new CallOptions(deadline: DateTime.UtcNow.AddMilliseconds(60))));

        Assert.All(await Task.WhenAll(calls), status => Assert.Equal(StatusCode.DeadlineExceeded, status));

        await AssertIdleAsync();
        Assert.Equal(stored, await service.CountStoredAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_leaves_frees_the_engine(bool stream)
    {
        using var leaving = new CancellationTokenSource(60);
        var calls = Enumerable.Range(0, 8).Select(_ => EndAsync(stream, new CallOptions(cancellationToken: leaving.Token)));

        Assert.All(await Task.WhenAll(calls), status => Assert.Equal(StatusCode.Cancelled, status));

        await AssertIdleAsync();
        Assert.DoesNotContain(service.Log, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    private async Task<StatusCode> EndAsync(bool stream, CallOptions options)
    {
        try
        {
            var request = new CompleteRequest { Input = s_long };
            if (!stream) await _guard.CompleteAsync(request, options);
            else
            {
                using var call = _guard.CompleteStream(request, options);
                await call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken).LastAsync(TestContext.Current.CancellationToken);
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
