using V1 = SaferGuard.Protocol.V1;

namespace SaferGuard.Client.Grpc;

/// <summary>Writes requests as messages.</summary>
internal static class GrpcRequests
{
    public static V1.AssessRequest Write(AssessRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var message = new V1.AssessRequest
        {
            Messages = { Messages(request) },
            Trace = GrpcEnum<V1.TraceLevel>.Of(request.Trace),
            OperatingPoint = GrpcEnum<V1.OperatingPoint>.Of(request.OperatingPoint),
        };
        if (request.Input is { } input) message.Input = input;
        if (request.Policy is { } policy) message.Policy = policy;
        if (request.Response is { } response) message.Response = response;
        return message;
    }

    public static V1.CompleteRequest Write(CompleteRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var message = new V1.CompleteRequest
        {
            Messages = { Messages(request) },
            Trace = GrpcEnum<V1.TraceLevel>.Of(request.Trace),
            OperatingPoint = GrpcEnum<V1.OperatingPoint>.Of(request.OperatingPoint),
        };
        if (request.Input is { } input) message.Input = input;
        if (request.Policy is { } policy) message.Policy = policy;
        if (request.Model is { } model) message.Model = model;
        if (request.MaxTokens is { } maxTokens) message.MaxTokens = maxTokens;
        if (request.Temperature is { } temperature) message.Temperature = temperature;
        if (request.Seed is { } seed) message.Seed = seed;
        return message;
    }

    private static IEnumerable<V1.Message> Messages(AssessRequest request) =>
        request.Messages?.Select(message => new V1.Message { Role = GrpcEnum<V1.Role>.Of((Role?)message.Role), Content = message.Content }) ?? [];
}
