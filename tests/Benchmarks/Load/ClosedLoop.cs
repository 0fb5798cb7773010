using System.Collections.Concurrent;
using System.Diagnostics;

namespace SaferGuard.Benchmarks.Load;

/// <summary>Callers that send their next request as soon as the last one is answered, for so long, but each at least once.</summary>
internal static class ClosedLoop
{
    /// <param name="send">Sends the request with this number, from 0. Only failures of HTTP are counted; others end the run.</param>
    public static async Task<Round> RunAsync(int callers, TimeSpan duration, Func<int, Task> send)
    {
        var latencies = new ConcurrentQueue<double>();
        var (next, failed) = (-1, 0);
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(CallAsync)));
        return new Round(Stopwatch.GetElapsedTime(start), [.. latencies], failed);

        async Task CallAsync()
        {
            do
            {
                var sent = Stopwatch.GetTimestamp();
                try
                {
                    await send(Interlocked.Increment(ref next));
                    latencies.Enqueue(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
                }
                catch (HttpRequestException)
                {
                    Interlocked.Increment(ref failed);
                }
            }
            while (Stopwatch.GetElapsedTime(start) < duration);
        }
    }
}
