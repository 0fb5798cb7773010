using V1 = SaferGuard.Protocol.V1;

namespace SaferGuard.Client.Grpc;

/// <summary>Writes requests as messages.</summary>
internal static class GrpcRequests
{
    public static V1.AssessRequest Write(AssessRequest request)
    {
        Require(request);
        var message = new V1.AssessRequest
        {
            Messages = { Messages(request) },
            Trace = GrpcEnum<V1.TraceLevel>.Of(request.Trace),
            OperatingPoint = GrpcEnum<V1.OperatingPoint>.Of(request.OperatingPoint),
        };
        if (request.Input is { } input) message.Input = input;
        if (request.Policy is { } policy) message.Policy = policy;
        return message;
    }

    public static V1.CompleteRequest Write(CompleteRequest request)
    {
        Require(request);
        if (request.Model is not null) throw Unknown(nameof(request.Model));
        var message = new V1.CompleteRequest
        {
            Messages = { Messages(request) },
            Trace = GrpcEnum<V1.TraceLevel>.Of(request.Trace),
            OperatingPoint = GrpcEnum<V1.OperatingPoint>.Of(request.OperatingPoint),
        };
        if (request.Input is { } input) message.Input = input;
        if (request.Policy is { } policy) message.Policy = policy;
        if (request.MaxTokens is { } maxTokens) message.MaxTokens = maxTokens;
        if (request.Temperature is { } temperature) message.Temperature = temperature;
        if (request.Seed is { } seed) message.Seed = seed;
        return message;
    }

    /// <summary>What the protocol cannot say is not left out silently: the judgment would be another.</summary>
    private static void Require(AssessRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Response is not null) throw Unknown(nameof(request.Response));
    }

    private static NotSupportedException Unknown(string field) => new($"The gRPC protocol has no {field}. Use {nameof(SaferGuardClient)}.");

    private static IEnumerable<V1.Message> Messages(AssessRequest request) =>
        request.Messages?.Select(message => new V1.Message { Role = GrpcEnum<V1.Role>.Of((Role?)message.Role), Content = message.Content }) ?? [];
}
