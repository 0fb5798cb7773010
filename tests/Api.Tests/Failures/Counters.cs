using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace SaferGuard.Api.Tests.Failures;

/// <summary>The counters of one service, from now on.</summary>
internal sealed class Counters : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _sums = [];

    public Counters(Service service)
    {
        var meters = service.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "SaferGuard" && ReferenceEquals(instrument.Meter.Scope, meters)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var direction = "";
            foreach (var (name, tag) in tags)
            {
                if (name == "saferguard.direction") direction = $" {tag}";
            }

            _sums.AddOrUpdate(instrument.Name + direction, value, (_, sum) => sum + value);
        });
        _listener.Start();
    }

    public (long Input, long Output) Unscanned => (Of("saferguard.unscanned input"), Of("saferguard.unscanned output"));

    public (long Input, long Output) Degraded => (Of("saferguard.degraded input"), Of("saferguard.degraded output"));

    public long Unrecorded => Of("saferguard.unrecorded");

    public void Dispose() => _listener.Dispose();

    private long Of(string name) => _sums.GetValueOrDefault(name);
}
