using System.CommandLine;
using SaferGuard.Api.Configuration;

namespace SaferGuard.Api.Tests.Access.Keys;

public sealed class KeyCommandsTests
{
    private readonly string _store = Path.Combine(Directory.CreateTempSubdirectory().FullName, "new", "saferguard.db");

    [Fact]
    public async Task A_key_is_written_once_and_then_listed_without_its_secret()
    {
        var (exitCode, key, note) = await RunAsync(
            "create", "--tenant", "acme", "--scope", "assess", "traces.read", "--name", "Chat backend", "--policy", "strict",
            "--requests-per-minute", "60", "--tokens-per-minute", "9000", "--max-concurrent-requests", "4", "--expires", "2199-01-31");
        Assert.Equal(0, exitCode);
        Assert.Matches("^sg_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$", key.TrimEnd());
        Assert.Contains("assess traces.read", note);

        var (_, list, _) = await RunAsync("list");

        Assert.DoesNotContain(key.Trim()[16..], list + note);
        var row = list.Split('\n')[1];
        Assert.All(
            [key.Substring(3, 12), "acme", "assess,traces.read", "strict", "60", "9000", "4", "until 2199-01-31", "Chat backend"],
            (string cell) => Assert.Contains(cell, row));
    }

    [Fact]
    public async Task A_running_service_takes_a_key_that_was_created_and_refuses_it_when_it_was_revoked()
    {
        await using var service = new Service { Store = _store, Settings = { ["Access:KeyCacheTime"] = "00:00:00" } };
        await service.InitializeAsync();
        Assert.Equal(200, (await service.AskAsync(null)).Status);

        var key = (await RunAsync("create", "--scope", "assess")).Output.Trim();
        Assert.Equal(200, (await service.AskAsync(key)).Status);
        Assert.Equal(401, (await service.AskAsync(null)).Status);

        Assert.Equal(0, (await RunAsync("revoke", key.Substring(3, 12))).ExitCode);
        Assert.Equal(401, (await service.AskAsync(key)).Status);
        Assert.Contains("revoked ", (await RunAsync("list")).Output);
        Assert.Equal(0, (await RunAsync("revoke", key.Substring(3, 12))).ExitCode);
    }

    [Theory]
    [InlineData("--scope", "create")]
    [InlineData("everything", "create", "--scope", "everything")]
    [InlineData("--tenant", "create", "--scope", "assess", "--tenant", "a tenant")]
    [InlineData("--policy", "create", "--scope", "assess", "--policy", "../x")]
    [InlineData("--expires", "create", "--scope", "assess", "--expires", "soon")]
    [InlineData("--expires", "create", "--scope", "assess", "--expires", "2020-01-31")]
    [InlineData("--requests-per-minute", "create", "--scope", "assess", "--requests-per-minute", "0")]
    [InlineData("no key with this id", "revoke", "0123456789ab")]
    public async Task What_cannot_be_done_is_said_and_ends_with_1(string expected, params string[] arguments)
    {
        var (exitCode, output, errors) = await RunAsync(arguments);

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors);
        Assert.DoesNotContain("sg_", output);
    }

    [Fact]
    public async Task A_store_that_cannot_be_opened_is_named_in_plain_words()
    {
        Directory.CreateDirectory(_store);

        var (exitCode, _, errors) = await RunAsync("list");

        Assert.Equal(1, exitCode);
        Assert.StartsWith("The store cannot be opened:", errors);
        Assert.DoesNotContain("   at ", errors);
    }

    [Theory]
    [InlineData(true, "keys")]
    [InlineData(true, "nonsense")]
    [InlineData(true, "--help")]
    [InlineData(false)]
    [InlineData(false, "--urls=http://127.0.0.1:0")]
    [InlineData(false, "--urls", "http://127.0.0.1:0")]
    [InlineData(false, "urls=http://127.0.0.1:0")]
    [InlineData(false, "/urls", "http://127.0.0.1:0")]
    public void Settings_are_told_from_verbs(bool isVerb, params string[] arguments) => Assert.Equal(isVerb, CommandLine.HasVerb(arguments));

    private async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var exitCode = await CommandLine.RunAsync(["keys", .. arguments, "--store", _store], new InvocationConfiguration { Output = output, Error = errors });
        return (exitCode, output.ToString(), errors.ToString());
    }
}
