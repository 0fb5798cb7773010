using System.CommandLine;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Policies;
using Spectre.Console;

namespace SaferGuard.Exporter.Tests;

public sealed class ExportCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Checkpoint _checkpoint;
    private readonly StringWriter _output = new();

    public ExportCommandTests() => _checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], TinyCheckpoint.Config());

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("fp32")]
    [InlineData("int8")]
    [InlineData("int4")]
    public async Task An_export_is_a_bundle_that_loads(string weights)
    {
        Assert.Equal(0, await Export("--weights", weights, "--id", "tiny-1"));
        var bundle = ModelBundle.Load(_folder["bundle"]);
        Assert.Equal(("tiny-1", weights, 256), (bundle.Manifest.Id, bundle.Manifest.Weights, bundle.Manifest.MaxPositions));
        Assert.Equal(Frozen.Now, bundle.Manifest.Created);
        Assert.Equal(PolicyReader.Default.Digest, bundle.Policy.Digest);
        Assert.Equal(Calibration.Neutral, bundle.Calibration);
        Assert.Equal(["bundle", "checkpoint"], Entries());
        Assert.Contains("exact", _output.ToString());
    }

    [Fact]
    public async Task Files_of_the_checkpoint_go_into_the_bundle_unchanged()
    {
        File.WriteAllBytes(_folder["checkpoint/policy.yaml"], [.. PolicyReader.DefaultBytes(), .. "\n# ours\n"u8]);
        File.WriteAllBytes(_folder["checkpoint/calibration.json"], (Calibration.Neutral with { ViolationThreshold = 0.7 }).ToJson());
        File.WriteAllText(_folder["checkpoint/README.md"], "A model card.");
        Assert.Equal(0, await Export());
        foreach (var file in new[] { "policy.yaml", "calibration.json", "README.md", "config.json", "tokenizer.json" })
            Assert.Equal(File.ReadAllBytes(_folder[$"checkpoint/{file}"]), File.ReadAllBytes(_folder[$"bundle/{file}"]));

        // A corrected word in the card does not make another model.
        Assert.DoesNotContain("README.md", ModelBundle.Load(_folder["bundle"]).Manifest.Files.Keys);
    }

    [Fact]
    public async Task Exporting_again_gives_the_same_bytes()
    {
        Assert.Equal(0, await Export());
        var first = Directory.EnumerateFiles(_folder["bundle"]).ToDictionary(f => f, File.ReadAllBytes);
        Assert.Equal(0, await Export("--force"));
        foreach (var (file, bytes) in first) Assert.Equal(bytes, File.ReadAllBytes(file));
    }

    [Fact]
    public async Task A_changed_file_of_a_bundle_is_noticed()
    {
        Assert.Equal(0, await Export());
        var weights = _folder["bundle/model.onnx.data"];
        var bytes = File.ReadAllBytes(weights);
        bytes[100] ^= 1;
        File.WriteAllBytes(weights, bytes);
        Assert.Throws<InvalidDataException>(() => ModelBundle.Load(_folder["bundle"]));
    }

    [Fact]
    public async Task Logits_that_differ_fail_the_export()
    {
        var path = _folder[$"checkpoint/{Reference.LogitsFile}"];
        var logits = SafeTensors.Read(path);
        logits["logits.1"].Data[7] += 0.002f;
        SafeTensors.Write(path, [.. logits.Names.Select(n => (n, logits[n].Shape, logits[n].Data))]);
        Assert.Equal(2, await Export());
        Assert.Contains("0.002", _output.ToString());
        Assert.Equal(["checkpoint"], Entries());
    }

    [Fact]
    public async Task A_greedy_token_that_differs_fails_the_export()
    {
        var path = _folder[$"checkpoint/{Reference.SequencesFile}"];
        var greedy = Reference.Load(_checkpoint.Folder, _checkpoint.Config).Sequences[0].Greedy[0];
        File.WriteAllText(path, File.ReadAllText(path).Replace($"\"greedy\":[{greedy}]", $"\"greedy\":[{(greedy + 1) % 300}]"));
        Assert.Equal(2, await Export());
        Assert.Equal(["checkpoint"], Entries());
    }

    [Fact]
    public async Task Logits_that_are_not_numbers_fail_the_export()
    {
        var path = _folder[$"checkpoint/{Reference.LogitsFile}"];
        var logits = SafeTensors.Read(path);
        logits["logits.0"].Data[0] = float.NaN;
        SafeTensors.Write(path, [.. logits.Names.Select(n => (n, logits[n].Shape, logits[n].Data))]);
        Assert.Equal(2, await Export());
    }

    [Fact]
    public async Task A_changed_weight_fails_the_export()
    {
        var path = _folder[$"checkpoint/{Checkpoint.WeightsFile}"];
        var tensors = SafeTensors.Read(path);
        tensors[Checkpoint.LayerTensor(2, "self_attn.k_proj")].Data.AsSpan().Reverse();
        SafeTensors.Write(path, [.. tensors.Names.Select(n => (n, tensors[n].Shape, tensors[n].Data))]);
        Assert.Equal(2, await Export());
    }

    [Theory]
    [InlineData(Checkpoint.ConfigFile)]
    [InlineData(Checkpoint.WeightsFile)]
    [InlineData(Checkpoint.TokenizerFile)]
    [InlineData(Reference.SequencesFile)]
    [InlineData(Reference.LogitsFile)]
    public async Task A_missing_file_is_named(string file)
    {
        File.Delete(Path.Combine(_checkpoint.Folder, file));
        Assert.Equal(1, await Export());
        Assert.Contains(file, _output.ToString());
        Assert.Equal(["checkpoint"], Entries());
    }

    [Fact]
    public async Task An_unknown_config_field_is_refused_by_name()
    {
        var path = _folder["checkpoint/config.json"];
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"model_type\"", "\"rope_scaling\": {}, \"model_type\""));
        Assert.Equal(1, await Export());
        Assert.Contains("rope_scaling", _output.ToString());
        Assert.DoesNotContain("   at ", _output.ToString());
    }

    [Fact]
    public async Task A_tokeniser_without_the_trace_format_is_refused()
    {
        var path = _folder["checkpoint/tokenizer.json"];
        File.WriteAllText(path, File.ReadAllText(path).Replace("verdicts", "verdict5"));
        Assert.Equal(1, await Export());
        Assert.Contains("verdicts", _output.ToString());
    }

    [Fact]
    public async Task A_bundle_is_only_replaced_by_force()
    {
        Assert.Equal(0, await Export("--weights", "fp32"));
        Assert.Equal(1, await Export("--weights", "int8"));
        Assert.Contains("--force", _output.ToString());
        Assert.Equal("fp32", ModelBundle.Load(_folder["bundle"]).Manifest.Weights);
        Assert.Equal(0, await Export("--weights", "int8", "--force"));
        Assert.Equal("int8", ModelBundle.Load(_folder["bundle"]).Manifest.Weights);
        Assert.Equal(["bundle", "checkpoint"], Entries());
    }

    [Fact]
    public async Task A_folder_that_is_no_bundle_is_never_replaced()
    {
        Directory.CreateDirectory(_folder["bundle"]);
        File.WriteAllText(_folder["bundle/letter.txt"], "Dear reader");
        Assert.Equal(1, await Export("--force"));
        Assert.Equal("Dear reader", File.ReadAllText(_folder["bundle/letter.txt"]));
    }

    [Fact]
    public async Task A_cancelled_export_leaves_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        Assert.NotEqual(0, await ExportAsync(cancelled.Token));
        Assert.Equal(["checkpoint"], Entries());
    }

    [Fact]
    public async Task Int8_reports_how_often_it_judges_as_fp32_does()
    {
        File.WriteAllText(_folder["rows.jsonl"], """
            {"prompt": "how do plants grow"}
            {"split": "train", "prompt": "left out"}
            {"split": "dev", "label": "harmful", "conversation": {"turns": [{"role": "user", "content": "hello"}], "subject": "prompt"}}
            """);
        Assert.Equal(0, await Export("--dev", _folder["rows.jsonl"]));
        Assert.Contains("same decision", _output.ToString());
    }

    [Theory]
    [InlineData("fp16")]
    [InlineData("bf16")]
    public async Task What_cannot_be_run_here_is_written_and_said_to_be_unproved(string weights)
    {
        Assert.SkipWhen(OnnxModelRunner.WhyUnavailable(Device.Cuda) is null, "There is a device to run it on.");
        Assert.Equal(0, await Export("--weights", weights));
        var bundle = ModelBundle.Load(_folder["bundle"]);
        Assert.Equal((weights, Device.Cuda), (bundle.Manifest.Weights, bundle.Manifest.Device));
        Assert.Contains($"The {weights} graph was never run", _output.ToString());
        Assert.Contains("OnnxRuntimeFlavor=Gpu", _output.ToString());

        var error = Assert.Throws<InvalidDataException>(() => Guard.Load(bundle.Folder));
        Assert.Contains("Set Engine:Device to Cuda", error.Message);
        Assert.Contains("--weights int8", error.Message);
    }

    [Fact]
    public async Task A_check_that_cannot_be_made_is_an_error_and_writes_nothing()
    {
        Assert.SkipWhen(OnnxModelRunner.WhyUnavailable(Device.Cuda) is null, "There is a device to check it on.");
        Assert.Equal(1, await Export("--weights", "fp16", "--check"));
        Assert.Contains("fp16 cannot be checked here", _output.ToString());
        Assert.Equal(["checkpoint"], Entries());
    }

    [Fact]
    public void Weights_too_large_for_fp16_are_refused()
    {
        var path = _folder[$"checkpoint/{Checkpoint.WeightsFile}"];
        var tensors = SafeTensors.Read(path);
        tensors[Checkpoint.LayerTensor(0, "mlp.down_proj")].Data[5] = 70_000;
        SafeTensors.Write(path, [.. tensors.Names.Select(n => (n, tensors[n].Shape, tensors[n].Data))]);
        Directory.CreateDirectory(_folder["graph"]);
        var error = Assert.Throws<InvalidDataException>(
            () => TransformerExporter.Export(Checkpoint.Load(_checkpoint.Folder), WeightFormat.Fp16, _folder["graph"]));
        Assert.Contains("bf16", error.Message);
    }

    [Fact]
    public async Task A_manifest_that_names_no_device_is_for_the_CPU()
    {
        Assert.Equal(0, await Export());
        var path = _folder["bundle/manifest.json"];
        var text = File.ReadAllText(path);
        Assert.Contains("\"device\": \"cpu\"", text);
        File.WriteAllText(path, System.Text.RegularExpressions.Regex.Replace(text, ",\\s*\"device\": \"cpu\"", ""));
        Assert.DoesNotContain("device", File.ReadAllText(path));
        Assert.Equal(Device.Cpu, ModelBundle.Load(_folder["bundle"]).Manifest.Device);
        await using var guard = Guard.Load(_folder["bundle"]);
    }

    [Theory]
    [InlineData("\"tpu\"")]
    [InlineData("1")]
    public async Task A_manifest_with_an_unknown_device_is_refused(string device)
    {
        Assert.Equal(0, await Export());
        var path = _folder["bundle/manifest.json"];
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"device\": \"cpu\"", $"\"device\": {device}"));
        Assert.Throws<InvalidDataException>(() => ModelBundle.Load(_folder["bundle"]));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("""{"conversation": {"turns": [null]}}""")]
    [InlineData("""{"conversation": {"turns": [{"role": "nobody", "content": "x"}]}}""")]
    public async Task Dev_rows_that_are_none_are_refused(string line)
    {
        File.WriteAllText(_folder["rows.jsonl"], line);
        Assert.Equal(1, await Export("--dev", _folder["rows.jsonl"]));
        Assert.Contains("rows.jsonl", _output.ToString());
    }

    [Theory]
    [InlineData("--weights", "int2")]
    [InlineData("--id", "../up")]
    [InlineData("--max-positions", "0")]
    [InlineData("--weights", "fp32", "--dev", "x.jsonl")]
    [InlineData("--unknown")]
    public async Task Wrong_arguments_are_refused(params string[] arguments) => Assert.Equal(1, await Export(arguments));

    [Theory]
    [InlineData("smollm2", 1, "int8")]
    [InlineData("qwen3", 2, "int4")]
    [InlineData("llama-3", 3, "fp32")]
    public async Task A_folder_of_others_is_proved_by_a_plain_transformer_and_only_answers(string like, int shards, string weights)
    {
        HuggingFaceFolder.Write(_folder["other"], like, shards: shards);
        Assert.Equal(1, await Export("--checkpoint", _folder["other"]));
        Assert.Contains("train it first, or export it with --can-answer", _output.ToString());
        Assert.Equal(0, await Export("--checkpoint", _folder["other"], "--can-answer", "--weights", weights));
        Assert.Contains("Computing its logits plainly", _output.ToString());
        Assert.Contains("exact", _output.ToString());
        Assert.Contains("a guard will not load it", _output.ToString());
        Assert.Contains("trained for traces first", Assert.Throws<InvalidDataException>(() => Guard.Load(_folder["bundle"])).Message);
    }

    [Fact]
    public async Task A_guard_without_a_reference_is_proved_by_a_plain_transformer()
    {
        File.Delete(_folder[$"checkpoint/{Reference.SequencesFile}"]);
        File.Delete(_folder[$"checkpoint/{Reference.LogitsFile}"]);
        Assert.Equal(0, await Export());
        Assert.Contains("Computing its logits plainly", _output.ToString());
        await Guard.Load(_folder["bundle"]).DisposeAsync();
    }

    [Fact]
    public async Task Positions_are_bounded_on_request()
    {
        Assert.Equal(1, await Export("--max-positions", "257"));
        Assert.Contains("256", _output.ToString());
        Assert.Equal(0, await Export("--max-positions", "200"));
        var bundle = ModelBundle.Load(_folder["bundle"]);
        Assert.Equal((200, 200), (bundle.Manifest.MaxPositions, bundle.Config.MaxPositions));
        var table = Onnx.ModelProto.Parser.ParseFrom(File.ReadAllBytes(bundle.GraphPath)).Graph.Initializer.Single(i => i.Name == "cos");
        Assert.Equal(200, table.Dims[0]);

        var manifest = _folder[$"bundle/{BundleManifest.FileName}"];
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"max_positions\": 200", "\"max_positions\": 257"));
        Assert.Contains("max_positions is 257", Assert.Throws<InvalidDataException>(() => ModelBundle.Load(_folder["bundle"])).Message);
    }

    private Task<int> Export(params string[] arguments) => ExportAsync(TestContext.Current.CancellationToken, arguments);

    private Task<int> ExportAsync(CancellationToken cancellation, params string[] arguments)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(_output) });
        console.Profile.Width = 400;
        var root = new RootCommand { ExportCommand.Create(console, new Frozen()) };
        string[] checkpoint = arguments.Contains("--checkpoint") ? [] : ["--checkpoint", _checkpoint.Folder];
        return root.Parse(["export", .. checkpoint, "--out", _folder["bundle"], .. arguments])
            .InvokeAsync(new InvocationConfiguration { Output = _output, Error = _output }, cancellation);
    }

    private IEnumerable<string?> Entries() =>
        Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName).Where(n => n != "rows.jsonl").Order();

    private sealed class Frozen : TimeProvider
    {
        public static DateTimeOffset Now { get; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
