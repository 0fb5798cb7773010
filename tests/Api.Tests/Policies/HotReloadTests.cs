using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Policies;

namespace SaferGuard.Api.Tests.Policies;

public sealed partial class HotReloadTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("saferguard-").FullName;

    private Service _service = null!;

    public async ValueTask InitializeAsync()
    {
        Write("house", PolicyFiles.Yaml("house"));
        _service = await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_changed_file_goes_live_by_itself()
    {
        var second = PolicyFiles.Yaml("house", "2");

        Write("house", second);

        await UntilAsync(async () => (await _service.AssessByAsync(null)).PolicyDigest() == PolicyFiles.Digest(second));
        Assert.Contains(_service.Log, line => line.Contains($"Policy house 2 {PolicyFiles.Digest(second)} is live", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_invalid_file_leaves_the_last_valid_version_live_and_is_told_everywhere()
    {
        var good = PolicyFiles.Digest(PolicyFiles.Yaml("house"));
        Write("house", PolicyFiles.Yaml("house", "2", ("S1.1", "threshold: 7")));
        Write("broken", "id: [");
        await UntilAsync(async () => (await InvalidAsync()).Count == 2);

        Assert.Equal(good, (await _service.AssessByAsync(null)).PolicyDigest());
        var ready = await _service.GetAsync("/readyz");
        Assert.Equal(200, ready.Status);
        Assert.Equal(
            ["policies/broken.yaml", "policies/house.yaml"], ready.Json.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetProperty("field").GetString()!));
        var invalid = await InvalidAsync();
        Assert.Equal("null", invalid["broken.yaml"].GetProperty("live").GetRawText());
        Assert.Equal(good, invalid["house.yaml"].GetProperty("live").GetProperty("digest").GetString());
        Assert.Equal("categories[0].rules[0].threshold", invalid["house.yaml"].GetProperty("errors")[0].GetProperty("field").GetString());
        Assert.Contains(_service.Log, line => line.StartsWith("Error: The policy file house.yaml is not valid: categories[0].rules[0].threshold is '7'", StringComparison.Ordinal));

        await UntilAsync(async () => InvalidGauge().Match((await _service.GetAsync("/metrics")).Text).Groups[1].Value == "2");

        Write("house", PolicyFiles.Yaml("house", "3"));
        File.Delete(Path.Combine(_folder, "broken.yaml"));
        await UntilAsync(async () => (await InvalidAsync()).Count == 0);
        Assert.False((await _service.GetAsync("/readyz")).Json.TryGetProperty("warnings", out _));
    }

    [Fact]
    public async Task After_a_restart_the_last_valid_version_of_an_invalid_file_is_live()
    {
        var second = PolicyFiles.Yaml("house", "2");
        Write("house", second);
        await UntilAsync(async () => (await _service.AssessByAsync(null)).PolicyDigest() == PolicyFiles.Digest(second));
        await _service.DisposeAsync();
        Write("house", "id: house");

        _service = await StartAsync();

        Assert.Equal(PolicyFiles.Digest(second), (await _service.AssessByAsync(null)).PolicyDigest());
        Assert.Single(await InvalidAsync());
    }

    [Fact]
    public async Task What_was_put_is_there_after_a_restart_with_its_older_versions()
    {
        var (first, second) = (PolicyFiles.Yaml("kept", "1"), PolicyFiles.Yaml("kept", "2"));
        await _service.PutPolicyAsync("kept", first);
        await _service.PutPolicyAsync("kept", second);
        await _service.DisposeAsync();

        _service = await StartAsync();

        Assert.Equal(PolicyFiles.Digest(second), (await _service.AssessByAsync("kept")).PolicyDigest());
        Assert.Equal(PolicyFiles.Digest(first), (await _service.AssessByAsync(PolicyFiles.Digest(first))).PolicyDigest());
    }

    [Fact]
    public async Task A_version_that_was_changed_on_disk_is_no_longer_that_version()
    {
        var first = PolicyFiles.Yaml("kept", "1");
        await _service.PutPolicyAsync("kept", first);
        await _service.PutPolicyAsync("kept", PolicyFiles.Yaml("kept", "2"));
        await _service.DisposeAsync();
        var file = Directory.GetFiles(Path.Combine(_folder, "versions", "kept"), $"{PolicyFiles.Digest(first)["sha256:".Length..]}*").Single();
        await File.AppendAllTextAsync(file, "# tampered\n", TestContext.Current.CancellationToken);

        _service = await StartAsync();

        Assert.Equal(400, (await _service.AssessByAsync(PolicyFiles.Digest(first))).Status);
    }

    [Fact]
    public async Task A_policy_goes_with_its_file_but_the_default_stays()
    {
        Write("guest", PolicyFiles.Yaml("guest"));
        await UntilAsync(async () => (await _service.AssessByAsync("guest")).Status == 200);

        File.Delete(Path.Combine(_folder, "guest.yaml"));
        File.Delete(Path.Combine(_folder, "house.yaml"));
        await UntilAsync(async () => (await _service.AssessByAsync("guest")).Status == 400);
        await UntilAsync(async () => (await InvalidAsync()).ContainsKey("house.yaml"));

        Assert.Equal(200, (await _service.AssessByAsync(null)).Status);
        Write("house", PolicyFiles.Yaml("house"));
        await UntilAsync(async () => (await InvalidAsync()).Count == 0);
    }

    [Fact]
    public async Task Of_two_files_with_one_id_the_first_is_live_and_the_other_told()
    {
        Write("a-second-house", PolicyFiles.Yaml("guest", "1"));
        Write("guest", PolicyFiles.Yaml("guest", "2"));
        await UntilAsync(async () => (await InvalidAsync()).ContainsKey("guest.yaml"));

        Assert.Equal(PolicyFiles.Digest(PolicyFiles.Yaml("guest", "1")), (await _service.AssessByAsync("guest")).PolicyDigest());
        Assert.Contains("a-second-house.yaml", (await InvalidAsync())["guest.yaml"].GetRawText());
    }

    [Fact]
    public async Task A_file_that_is_written_in_pieces_is_never_live_in_part()
    {
        await _service.DisposeAsync();
        _service = await StartAsync(interval: TimeSpan.Zero);
        var book = _service.Services.GetRequiredService<PolicyBook>();
        var second = PolicyFiles.Yaml("house", "2");
        var valid = second.LastIndexOf("  - id: S14", StringComparison.Ordinal);
        foreach (var length in (int[])[0, 100, valid - 1000, valid, second.Length])
        {
            Write("house", second[..length]);
            book.Reload();
            Assert.Equal(PolicyFiles.Digest(PolicyFiles.Yaml("house")), book.Default.Policy.Digest);
        }

        book.Reload();
        Assert.Equal(PolicyFiles.Digest(second), book.Default.Policy.Digest);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_told_and_nothing_changes()
    {
        Directory.Delete(_folder, recursive: true);
        await File.WriteAllTextAsync(_folder, "a file where the folder was", TestContext.Current.CancellationToken);

        var reply = await _service.PutPolicyAsync("new", PolicyFiles.Yaml("new"));

        Assert.Equal((503, "urn:saferguard:problem:policies-not-writable"), (reply.Status, reply.Json.GetProperty("type").GetString()));
        Assert.Equal(200, (await _service.AssessByAsync("house")).Status);
        File.Delete(_folder);
        Directory.CreateDirectory(_folder);
    }

    [GeneratedRegex(@"^saferguard_policies_invalid(?:\{[^}]*\})? (\d+)", RegexOptions.Multiline)]
    private static partial Regex InvalidGauge();

    private async Task<Dictionary<string, System.Text.Json.JsonElement>> InvalidAsync() =>
        (await _service.GetAsync("/v1/policies")).Json.GetProperty("invalid").EnumerateArray().ToDictionary(file => file.GetProperty("file").GetString()!);

    private void Write(string name, string policy) => File.WriteAllText(Path.Combine(_folder, $"{name}.yaml"), policy);

    private async Task<Service> StartAsync(TimeSpan? interval = null)
    {
        var service = new Service
        {
            Settings = { ["Policies:Folder"] = _folder, ["Policies:Default"] = "house", ["Policies:ReloadInterval"] = $"{interval ?? TimeSpan.FromMilliseconds(50)}" },
        };
        await service.InitializeAsync();
        return service;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var attempt = 0; attempt < 200; attempt++)
        {
            if (await condition()) return;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.Fail("It did not come to pass within ten seconds.");
    }
}
