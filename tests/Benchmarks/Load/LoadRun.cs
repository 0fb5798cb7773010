namespace SaferGuard.Benchmarks.Load;

/// <summary>Loads on a running service.</summary>
/// <param name="lengths">Words of the prompts, in rotation.</param>
internal sealed class LoadRun(ServiceClient service, string trace, IReadOnlyList<int> lengths, TimeSpan duration)
{
    private const int ShortWords = 20;
    public const int LongWords = 2000;
    public const int FloodCallers = 8;

    private readonly PromptSource _prompts = new();

    public Task<Round> RunAsync(int callers) => ClosedLoop.RunAsync(callers, duration, i => SendAsync(lengths[i % lengths.Count]));

    /// <summary>One caller with short prompts: alone, and while others flood the service with long ones.</summary>
    public async Task<(Round Alone, Round Flooded)> MeasureFairnessAsync()
    {
        var alone = await ShortAsync();
        var flood = ClosedLoop.RunAsync(FloodCallers, 2 * duration, _ => SendAsync(LongWords)); // longer than what follows
        await Task.Delay(duration / 4); // until the flood is under way
        var flooded = await ShortAsync();
        await flood;
        return (alone, flooded);

        Task<Round> ShortAsync() => ClosedLoop.RunAsync(1, duration, _ => SendAsync(ShortWords));
    }

    private Task<double> SendAsync(int words) => service.AssessAsync(_prompts.Next(words), trace);
}
