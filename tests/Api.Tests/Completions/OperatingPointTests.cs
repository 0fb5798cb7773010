using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tests;

namespace SaferGuard.Api.Tests.Completions;

public sealed class OperatingPointTests : IDisposable
{
    /// <summary>The strict point refuses nearly all, the permissive one nearly nothing.</summary>
    private static readonly OperatingPoints Apart = new(new Thresholds(0.02, 0.01, 0.01), new Thresholds(0.9999, 0.9998, 0.5));

    private readonly string _folder = Directory.CreateTempSubdirectory("saferguard-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_request_names_the_point_that_decides()
    {
        await using var service = await StartAsync(Apart);

        Assert.Equal(("strict", "refuse"), await AssessAsync(service, ", \"operating_point\": \"strict\""));
        Assert.Equal(("balanced", "refuse"), await AssessAsync(service, ""));
        var (point, decision) = await AssessAsync(service, ", \"operating_point\": \"permissive\"");
        Assert.Equal("permissive", point);
        Assert.NotEqual("refuse", decision);

        var completed = await service.CompleteAsync($$"""{"input": "{{Prompts.Harmful}}", "operating_point": "permissive"}""");
        Assert.Equal("permissive", completed.Json.GetProperty("operating_point").GetString());
        Assert.Equal("no_answer_source", completed.Json.GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task A_point_that_the_model_lacks_is_told_with_those_that_it_has()
    {
        await using var service = await StartAsync(null);

        var unknown = await service.AssessAsync("""{"input": "Hello", "operating_point": "lax"}""");
        var lacking = await service.AssessAsync("""{"input": "Hello", "operating_point": "strict"}""");

        Assert.Equal((400, 400), (unknown.Status, lacking.Status));
        Assert.Contains("must be one of strict, balanced, permissive", unknown.Text);
        Assert.Equal(["operating_point"], lacking.Fields);
        Assert.Contains("has: balanced\"", lacking.Text);
        Assert.Equal(0, await service.CountStoredAsync());
    }

    private static async Task<(string? Point, string? Decision)> AssessAsync(Service service, string field)
    {
        var json = (await service.AssessAsync($$"""{"input": "{{Prompts.Harmful}}"{{field}}}""")).Json;
        return (json.GetProperty("operating_point").GetString(), json.GetProperty("decision").GetString());
    }

    private async Task<Service> StartAsync(OperatingPoints? points)
    {
        var bundled = Path.Combine(BundledModel.Folder, BundleManifest.CalibrationFile);
        var calibration = Calibration.Parse(File.ReadAllBytes(bundled)) with { OperatingPoints = points };
        AdaptedBundle.Write(BundledModel.Folder, _folder + "/model", new Dictionary<string, byte[]> { [BundleManifest.CalibrationFile] = calibration.ToJson() });
        var service = new Service { Settings = { ["Model:Path"] = _folder + "/model" } };
        await service.InitializeAsync();
        return service;
    }
}
