using SaferGuard.Api.Tests;
using SaferGuard.Client.Grpc;

namespace SaferGuard.Client.Tests;

/// <summary>What the client over gRPC makes of services that do not do what it asks.</summary>
public sealed class GrpcFaultTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_service_that_is_not_there_is_unavailable()
    {
        using var client = new SaferGuardGrpcClient(new Uri("http://127.0.0.1:9"), new() { MaxRetries = 0 });

        await Assert.ThrowsAsync<SaferGuardUnavailableException>(() => client.AssessAsync("Hello", Cancellation));
        await Assert.ThrowsAsync<SaferGuardUnavailableException>(async () => await client.StreamAsync("Hello", Cancellation).ToListAsync(Cancellation));
    }

    [Fact]
    public async Task A_service_that_does_not_answer_in_time_is_unavailable()
    {
        using var client = new SaferGuardGrpcClient(new Uri("http://127.0.0.1:9"), new() { Timeout = TimeSpan.FromTicks(1) });

        await Assert.ThrowsAsync<SaferGuardUnavailableException>(() => client.AssessAsync("Hello", Cancellation));
    }

    [Fact]
    public async Task A_service_without_gRPC_gives_no_verdict()
    {
        await using var other = await FaultyService.StartAsync(FaultyService.Json(FaultyService.Judgment));
        using var client = new SaferGuardGrpcClient(other.Address, new() { MaxRetries = 0 });

        await Assert.ThrowsAnyAsync<SaferGuardException>(() => client.AssessAsync("Hello", Cancellation));
    }

    [Fact]
    public async Task A_key_that_is_wrong_is_no_key()
    {
        await using var guarded = new Service { Settings = { ["Access:WithoutKeys"] = "Never" } };
        await guarded.InitializeAsync();
        using var client = new SaferGuardGrpcClient(guarded.Channel, new() { ApiKey = "sg_wrong" });

        var fault = await Assert.ThrowsAsync<SaferGuardAccessException>(() => client.AssessAsync("Hello", Cancellation));

        Assert.Equal("urn:saferguard:problem:unauthenticated", fault.Problem!.Type);
    }
}
