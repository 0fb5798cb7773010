using SaferGuard.Api.Operations;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Policies.Shadow;

/// <summary>Has the shadow policy judge its samples, one at a time, behind all live requests.</summary>
internal sealed class ShadowWorker(ShadowPolicy shadow, PolicyBook book, Guard guard, ILogger<ShadowWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var sample in shadow.Samples.ReadAllAsync(stoppingToken)) await CompareAsync(sample, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    private async Task CompareAsync(ShadowSample sample, CancellationToken stopping)
    {
        if (book.Shadow is not { } policy) return;
        try
        {
            var judgment = await guard.AssessAsync(sample.Conversation, TraceLevel.Brief, point: sample.Point, policy: policy, cancellation: stopping);
            shadow.Compared(sample, policy, judgment.Trace);
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            // The live answer has long been given; the report says that this one is missing.
            shadow.Failed(policy);
            if (Errors.Of(fault).Kind == Errors.Internal) ProblemWriter.Log(logger, fault);
        }
    }
}
