using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Api.Tests.Configuration;

public sealed class StartupTests
{
    [Fact]
    public async Task A_folder_without_a_model_ends_the_start_with_one_clear_message()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;

        var (exitCode, errors) = await RunAsync($"--Model:Path={folder}");

        Assert.Equal(1, exitCode);
        Assert.StartsWith("SaferGuard cannot start. The model cannot be used:", errors);
        Assert.Contains(folder, errors);
        Assert.DoesNotContain("   at ", errors);
    }

    [Fact]
    public async Task All_errors_of_the_configuration_are_reported_at_once()
    {
        var (exitCode, errors) = await RunAsync(
            "--Limits:MaxTurns=0", "--Limits:MaxBodyBytes=1", "--Store:Path=", "--Model:Folder=x", "--Engine:Threads=-1",
            "--Telemetry:MetricsUrl=ftp://127.0.0.1", "--OTEL_EXPORTER_OTLP_ENDPOINT=collector", "--OTEL_EXPORTER_OTLP_PROTOCOL=http/json");

        Assert.Equal(1, exitCode);
        string[] wrong = ["MaxTurns", "MaxBodyBytes", "Path", "Folder", "Threads", "MetricsUrl", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"];
        Assert.All(wrong, (string name) => Assert.Contains(name, errors));
        Assert.DoesNotContain("   at ", errors);
    }

    [Fact]
    public async Task All_errors_of_the_access_are_reported_at_once()
    {
        var (exitCode, errors) = await RunAsync(
            "--Access:RequestsPerMinute=0", "--Access:Jwt:Authority=http://issuer.example", "--Access:Jwt:TenantClaim=", "--Redis:Connection=,",
            "--Redis:Timeout=1.00:00:00", "--Idempotency:MaxReplyBytes=1");

        Assert.Equal(1, exitCode);
        Assert.All(["RequestsPerMinute", "Audience", "TenantClaim", "https", "Connection", "Timeout", "MaxReplyBytes"], (string name) => Assert.Contains(name, errors));
        Assert.DoesNotContain("   at ", errors);
    }

    [Fact]
    public async Task All_errors_of_the_gateway_are_reported_at_once_without_the_key()
    {
        var (exitCode, errors) = await RunAsync(
            "--Upstream:BaseUrl=ftp://models", "--Upstream:ApiKey=sk secret", "--Upstream:Models:0:Name=fast", "--Failure:Input=maybe", "--Windows:Overlap=190");

        Assert.Equal(1, exitCode);
        Assert.All(
            ["BaseUrl must be an http or https address", "Model must name the model", "printable ASCII", "each of Models", "Input must be fail_closed or fail_open", "at most half"],
            (string error) => Assert.Contains(error, errors));
        Assert.DoesNotContain("secret", errors);
        Assert.DoesNotContain("   at ", errors);
    }

    [Fact]
    public async Task A_service_that_others_can_reach_does_not_start_without_keys()
    {
        var store = Path.Combine(Directory.CreateTempSubdirectory().FullName, "saferguard.db");

        var (exitCode, errors) = await RunAsync("--urls=http://0.0.0.0:0", $"--Store:Path={store}");

        Assert.Equal(1, exitCode);
        Assert.StartsWith("SaferGuard cannot start. It would be open to everybody who can reach http://0.0.0.0:", errors);
        Assert.All(["keys create", "Access:Jwt", "127.0.0.1", "Access:WithoutKeys"], (string mend) => Assert.Contains(mend, errors));
        Assert.Single(errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_port_that_is_taken_ends_the_start()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var store = Path.Combine(Directory.CreateTempSubdirectory().FullName, "saferguard.db");

        var (exitCode, errors) = await RunAsync($"--urls=http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}", $"--Store:Path={store}");

        Assert.Equal(1, exitCode);
        Assert.Contains("address already in use", errors);
    }

    [Fact]
    public async Task A_store_that_cannot_be_opened_ends_the_start()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;

        var (exitCode, errors) = await RunAsync("--urls=http://127.0.0.1:0", $"--Store:Path={folder}");

        Assert.Equal(1, exitCode);
        Assert.StartsWith("SaferGuard cannot start. The store cannot be opened:", errors);
    }

    [Fact]
    public async Task A_device_that_this_build_or_machine_has_not_ends_the_start()
    {
        Assert.SkipWhen(OnnxModelRunner.WhyUnavailable(Device.Cuda) is null, "There is a CUDA device.");
        var (exitCode, errors) = await RunAsync("--urls=http://127.0.0.1:0", "--Engine:Device=Cuda");

        Assert.Equal(1, exitCode);
        Assert.StartsWith("SaferGuard cannot start. Engine:Device cannot be used:", errors);
        Assert.Contains(OnnxModelRunner.WhyUnavailable(Device.Cuda)!, errors);
        Assert.Single(errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_default_or_shadow_policy_that_is_not_there_ends_the_start()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;

        var (exitCode, errors) = await RunAsync($"--Policies:Folder={folder}", "--Policies:Default=nobody", "--Policies:Shadow=no-one");

        Assert.Equal(1, exitCode);
        Assert.Contains("Policies:Default: there is no policy 'nobody'; there are default.", errors);
        Assert.Contains("Policies:Shadow: there is no policy 'no-one'", errors);
        Assert.DoesNotContain("   at ", errors);
    }

    private static async Task<(int ExitCode, string Errors)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Program).Assembly.Location, .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            await output;
            return (process.ExitCode, errors);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}
