using System.Data.Common;

namespace SaferGuard.Api.Access.Idempotency;

/// <summary>Keeps the number of kept replies bounded.</summary>
internal sealed partial class ForgettingWorker(KeptReplies replies, TimeProvider clock, ILogger<ForgettingWorker> logger) : BackgroundService
{
    private static readonly TimeSpan s_period = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await replies.ForgetAsync(stoppingToken);
            }
            catch (DbException fault)
            {
                LogFailed(logger, fault.GetType().Name);
            }
        }
    }

    [LoggerMessage(8, LogLevel.Warning, "Expired replies could not be deleted ({Fault}); the next try is in a minute")]
    private static partial void LogFailed(ILogger logger, string fault);
}
