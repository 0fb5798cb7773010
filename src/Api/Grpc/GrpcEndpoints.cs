using Grpc.AspNetCore.Server;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using SaferGuard.Api.Operations;
using SaferGuard.Protocol.V1;

namespace SaferGuard.Api.Grpc;

internal static class GrpcEndpoints
{
    public static void AddGrpc(this WebApplicationBuilder builder)
    {
        builder.Services.AddGrpc(grpc =>
        {
            grpc.Interceptors.Add<RpcErrors>();
            // The server limits bodies already, for every surface.
            grpc.MaxReceiveMessageSize = null;
            // Else every address that exists over REST would take calls for unknown services.
            grpc.IgnoreUnknownServices = true;
        });
        // As over REST, since what a small message unpacks to has no limit. gRPC adds its own where there are none, so they go after that.
        builder.Services.PostConfigure<GrpcServiceOptions>(grpc => grpc.CompressionProviders = []);
        builder.Services.AddGrpcReflection();
        builder.Services.AddGrpcHealthChecks(health => health.Services.Map(GuardService.Descriptor.FullName, _ => true)).AddCheck<ReadinessCheck>("readiness");
        // Its lines repeat what RpcErrors says and logs, and may quote the client.
        builder.Logging.AddFilter("Grpc.AspNetCore.Server", LogLevel.None);
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
    }

    public static void MapGrpc(this IEndpointRouteBuilder routes)
    {
        var shape = new ProblemShape(RpcStatus.WriteAsync);
        var services = (IEndpointConventionBuilder[])
        [
            routes.MapGrpcService<GuardRpc>(),
            routes.MapGrpcHealthChecksService().AllowAnonymous(),
            routes.MapGrpcReflectionService().AllowAnonymous(),
        ];
        foreach (var service in services) service.WithMetadata(shape).Add(UnreadMessages.Tell);
    }

    /// <summary>Says on gRPC's standard health service what <c>/readyz</c> says.</summary>
    private sealed class ReadinessCheck(Readiness readiness) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            var reasons = await readiness.ReasonsAsync(cancellationToken);
            return reasons.Count == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy();
        }
    }
}
