using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Operations;

/// <summary>Judges one prompt in both ways after the start, so that readiness is proven and no caller pays for the first run of the code.</summary>
internal sealed partial class WarmupWorker(Guard guard, Readiness readiness, ILogger<WarmupWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var sample = Conversation.OfPrompt("Good morning! Which tea goes well with rain?");
            await guard.AssessAsync(sample, TraceLevel.Brief, cancellation: stoppingToken);
            await guard.AssessAsync(sample, TraceLevel.Full, cancellation: stoppingToken);
            readiness.WarmedUp();
            LogReady(logger, guard.Model.Id, guard.Model.Digest, guard.Policy.Id, guard.Policy.Version);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped before it was ready.
        }
        catch (Exception fault)
        {
            // The service stays up and says in /readyz that it has judged nothing.
            LogFailed(logger, fault);
        }
    }

    [LoggerMessage(3, LogLevel.Information, "Ready: model {Model} {Digest}, policy {Policy} {Version}")]
    private static partial void LogReady(ILogger logger, string model, string digest, string policy, string version);

    [LoggerMessage(4, LogLevel.Critical, "The first judgment failed; the service will not become ready")]
    private static partial void LogFailed(ILogger logger, Exception fault);
}
