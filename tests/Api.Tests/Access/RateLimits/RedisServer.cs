using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SaferGuard.Api.Tests.Access.RateLimits;

/// <summary>A real Redis on this machine, without files.</summary>
internal sealed class RedisServer : IDisposable
{
    private Process _process;

    private RedisServer(int port, Process process) => (Port, _process) = (port, process);

    public static bool IsInstalled { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "redis-server")));

    public int Port { get; }

    public string Connection => $"127.0.0.1:{Port}";

    public static RedisServer Start()
    {
        Assert.SkipUnless(IsInstalled, "redis-server is not installed; tests/run installs it.");
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        return new(port, Run(port));
    }

    /// <summary>It is gone, and so is all that it knew.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Restart() => _process = Run(Port);

    /// <summary>It keeps its connections and answers nothing.</summary>
    public void Hang() => Signal("STOP");

    public void GoOn() => Signal("CONT");

    public void Dispose()
    {
        if (!_process.HasExited) Kill();
        _process.Dispose();
    }

    private static Process Run(int port)
    {
        string[] settings = ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        var process = Process.Start(new ProcessStartInfo("redis-server", settings) { RedirectStandardOutput = true })!;
        var ready = new TaskCompletionSource();
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null) ready.TrySetException(new InvalidOperationException("redis-server did not start."));
            else if (line.Data.Contains("Ready to accept connections", StringComparison.Ordinal)) ready.TrySetResult();
        };
        process.BeginOutputReadLine();
        ready.Task.WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
        return process;
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }
}
