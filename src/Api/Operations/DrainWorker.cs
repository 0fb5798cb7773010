using SaferGuard.Api.Configuration;

namespace SaferGuard.Api.Operations;

/// <summary>Keeps the service listening for <see cref="ShutdownOptions.Drain"/> after it was told to stop, while <c>/readyz</c> says so.</summary>
internal sealed class DrainWorker(ShutdownOptions options) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken) =>
        Task.Delay(options.Drain, cancellationToken);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
