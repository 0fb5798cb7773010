namespace SaferGuard.Api.Policies;

/// <summary>
/// Looks at the folder of policies from time to time. Contents are compared, not times: mounted maps and network disks do not tell of changes.
/// </summary>
internal sealed partial class PolicyReloadWorker(
    PolicyBook book, PolicyFolder folder, PolicyOptions options, TimeProvider clock, ILogger<PolicyReloadWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.ReloadInterval == TimeSpan.Zero) return;
        using var timer = new PeriodicTimer(options.ReloadInterval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) Reload();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    private void Reload()
    {
        try
        {
            book.Reload();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // All that is live stays so.
            LogUnreadable(logger, folder.ToString(), fault.Message);
        }
    }

    [LoggerMessage(24, LogLevel.Error, "The folder of policies {Folder} cannot be read: {Reason}")]
    private static partial void LogUnreadable(ILogger logger, string folder, string reason);
}
