using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using SaferGuard.Benchmarks.Load;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>The real service, built for release, in a process of its own, with a new store.</summary>
internal sealed class ServiceProcess : IDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private ServiceProcess(Process process, Uri url, string folder)
    {
        (_process, _folder) = (process, folder);
        Client = new ServiceClient(url);
    }

    public ServiceClient Client { get; }

    public static Task BuildAsync() => ChildProcess.RunAsync("dotnet", ["build", "src/Api", "-c", "Release", "-v", "quiet"]);

    /// <summary>Returns when the service is ready.</summary>
    public static async Task<ServiceProcess> StartAsync(string work, string bundle)
    {
        var folder = Path.Combine(work, $"service-{Path.GetRandomFileName()}");
        Directory.CreateDirectory(folder);
        var url = $"http://127.0.0.1:{FreePort()}";
        var engine = CompareOptions.Engine;
        var process = Process.Start(new ProcessStartInfo("dotnet",
        [
            Path.Combine(Repository.Root, "artifacts", "bin", "Api", "release", "SaferGuard.Api.dll"),
            "--urls", url, "--Grpc:Url", "", "--Model:Path", bundle, "--Store:Path", Path.Combine(folder, "saferguard.db"),
            "--Engine:Threads", $"{engine.Threads}", "--Engine:CacheTokens", $"{engine.CacheTokens}",
            "--Engine:PrefixCacheTokens", $"{engine.PrefixCacheTokens}", "--Engine:RequestTimeout", $"{engine.RequestTimeout}", "--Logging:LogLevel:Default", "Warning",
        ])
        { WorkingDirectory = folder })!;
        var service = new ServiceProcess(process, new Uri(url), folder);
        try
        {
            await service.Client.WaitUntilReadyAsync(TimeSpan.FromMinutes(1));
            return service;
        }
        catch
        {
            service.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Client.Dispose();
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
