using Google.Rpc;
using Grpc.Core;

namespace SaferGuard.Api.Tests.Grpc;

/// <summary>Messages that no generated client would send.</summary>
public sealed class RawMessageTests(Service running) : IClassFixture<Service>
{
    private static readonly Marshaller<byte[]> s_bytes = Marshallers.Create(bytes => bytes, bytes => bytes);

    [Theory]
    [InlineData("broken UTF-8", "0a02ff41")]
    [InlineData("a surrogate, encoded", "0a03eda080")]
    [InlineData("NUL, overlong", "0a02c080")]
    [InlineData("broken UTF-8 in a message", "120508021201ff")]
    [InlineData("cut off", "0aff")]
    [InlineData("no message", "ffffffffffffffffffff")]
    public async Task What_is_no_message_is_told_as_an_invalid_request(string what, string hex)
    {
        var fault = await Assert.ThrowsAsync<RpcException>(() => SendAsync("Assess", Convert.FromHexString(hex)));

        Assert.True(fault.StatusCode == StatusCode.InvalidArgument, what);
        Assert.Equal("body", Assert.Single(fault.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations).Field);
        Assert.DoesNotContain(running.Log, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_message_that_is_too_large_is_told_as_over_REST()
    {
        var fault = await Assert.ThrowsAsync<RpcException>(() => SendAsync("Assess", new byte[2_000_000]));

        Assert.Equal((StatusCode.InvalidArgument, "BODY_TOO_LARGE"), (fault.StatusCode, fault.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason));
    }

    [Fact]
    public async Task A_compressed_message_is_not_unpacked()
    {
        var metadata = new Metadata { { "grpc-internal-encoding-request", "gzip" } };

        var fault = await Assert.ThrowsAsync<RpcException>(() => SendAsync("Assess", new byte[900_000], metadata));

        Assert.Equal(StatusCode.Unimplemented, fault.StatusCode);
    }

    [Theory]
    [InlineData("saferguard.v1.GuardService", "Refuse")]
    [InlineData("saferguard.v2.GuardService", "Assess")]
    public async Task What_does_not_exist_is_unimplemented(string name, string method)
    {
        var fault = await Assert.ThrowsAsync<RpcException>(() => SendAsync(method, [], service: name));

        Assert.Equal(StatusCode.Unimplemented, fault.StatusCode);
    }

    private async Task SendAsync(string method, byte[] message, Metadata? metadata = null, string service = "saferguard.v1.GuardService") =>
        await running.Channel.CreateCallInvoker().AsyncUnaryCall(
            new Method<byte[], byte[]>(MethodType.Unary, service, method, s_bytes, s_bytes), null,
            new CallOptions(metadata, cancellationToken: TestContext.Current.CancellationToken), message);
}
