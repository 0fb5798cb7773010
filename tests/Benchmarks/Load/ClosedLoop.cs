using System.Collections.Concurrent;
using System.Diagnostics;

namespace SaferGuard.Benchmarks.Load;

/// <summary>Callers that send their next request as soon as the last one is answered, for so long, but each at least once.</summary>
internal static class ClosedLoop
{
    /// <param name="send">Sends the request with this number, from 0.</param>
    public static async Task<Round> RunAsync(int callers, TimeSpan duration, Func<int, Task> send)
    {
        var latencies = new ConcurrentQueue<double>();
        var next = -1;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(CallAsync)));
        return new Round(Stopwatch.GetElapsedTime(start), [.. latencies]);

        async Task CallAsync()
        {
            do
            {
                var sent = Stopwatch.GetTimestamp();
                await send(Interlocked.Increment(ref next));
                latencies.Enqueue(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            }
            while (Stopwatch.GetElapsedTime(start) < duration);
        }
    }
}
