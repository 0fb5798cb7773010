using System.Globalization;
using Spectre.Console;

namespace SaferGuard.Training.Runs;

/// <summary>Where a run is.</summary>
/// <param name="Done">Share of the run, from 0 to 1.</param>
internal readonly record struct Reading(double Done, int Step, double Loss, double TokensPerSecond, TimeSpan Left)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"step {Step}  loss {Loss:F4}  {TokensPerSecond:F0} tokens/s  {(Left.TotalDays < 1 ? $"{Left:hh\\:mm\\:ss}" : $"{Left.TotalDays:F1} days")} left");
}

/// <summary>Shows a run: a progress bar in a terminal, a line from time to time where output is redirected.</summary>
internal static class RunProgress
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    /// <param name="run">Receives what shows a reading.</param>
    public static T Show<T>(IAnsiConsole console, TimeProvider clock, Func<Action<Reading>, T> run)
    {
        if (console.Profile.Capabilities.Interactive)
        {
            return console.Progress()
                .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
                .Start(context =>
                {
                    var task = context.AddTask("starting", maxValue: 1);
                    return run(reading => task.Value(reading.Done).Description(reading.ToString()));
                });
        }

        var last = long.MinValue;
        return run(reading =>
        {
            var now = clock.GetTimestamp();
            if (last != long.MinValue && clock.GetElapsedTime(last, now) < LineInterval) return;
            last = now;
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{reading.Done,6:P1}  {reading}"));
        });
    }
}

/// <summary>Speed and time left of a run, measured from when it was started or resumed.</summary>
internal sealed class RunClock(TimeProvider clock, double doneBefore)
{
    private readonly long _start = clock.GetTimestamp();
    private double _tokensPerSecond;

    public Reading Read(double done, int step, double loss, int tokens, TimeSpan duration)
    {
        // A moving average over about twenty steps.
        var speed = tokens / Math.Max(duration.TotalSeconds, 1e-6);
        _tokensPerSecond = _tokensPerSecond == 0 ? speed : _tokensPerSecond * 0.95 + speed * 0.05;
        var share = Math.Max(done - doneBefore, 1e-9);
        return new Reading(done, step, loss, _tokensPerSecond, clock.GetElapsedTime(_start) * Math.Min((1 - done) / share, 1e6));
    }
}
