using System.CommandLine;
using System.Text.Json;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Noise;
using Spectre.Console;

namespace SaferGuard.Training.Tests.Noise;

public sealed class NoiseCommandTests : IDisposable
{
    private static readonly string[] Things = ["house", "garden", "car", "dog", "meal", "river", "letter", "song", "train", "window"];

    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _printed = new();

    private string Data => Path.Combine(_folder.Path, "data.jsonl");

    private string Out => Path.Combine(_folder.Path, "out");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Rows_with_a_wrong_label_are_found_and_weigh_less_and_no_others_change()
    {
        TrainingRow[] wrong = [Row("w1", "poison it", Label.Benign), Row("w2", "paint it", Label.Harmful)];
        RowFile.Write(Data, [.. Clean(), .. wrong]);

        Assert.Equal(0, await RunAsync());

        var weights = Weights();
        Assert.All(wrong, row => Assert.InRange(weights[row.Id], .5 * .25, .5 * .6));
        Assert.All(Clean(), row => Assert.Equal(.5, weights[row.Id]));
        using var report = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Out, "noise.json")));
        Assert.Equal(["w1", "w2"], report.RootElement.GetProperty("worst").EnumerateArray().Select(r => r.GetProperty("id").GetString()!).Order());
        var source = Assert.Single(report.RootElement.GetProperty("sources").EnumerateArray());
        string[] counts = ["doubtful", "doubtful_harmful", "lowered"];
        Assert.Equal([2, 1, 2], counts.Select(name => source.GetProperty(name).GetInt32()));
        Assert.Contains("w1", _printed.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("test", Label.BorderlineSafe)]
    [InlineData("traces/contrasts", Label.Benign)]
    public async Task Rows_whose_words_are_meant_to_mislead_are_reported_but_keep_their_weight(string source, Label label)
    {
        RowFile.Write(Data, [.. Clean(), Row("misleading", "poison it", label) with { Source = source }]);

        Assert.Equal(0, await RunAsync());

        Assert.Equal(.5, Weights()["misleading"]);
        Assert.EndsWith("1 of 201 labels are doubtful; 0 rows weigh less.", _printed.ToString().TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_of_other_splits_and_generated_rows_neither_learn_nor_are_judged()
    {
        RowFile.Write(Data, [
            .. Clean(),
            Row("dev", "poison it", Label.Benign) with { Split = DataSplit.Dev },
            Row("made", "poison it", Label.Benign) with { Source = "made/frames" },
        ]);

        Assert.Equal(0, await RunAsync());
        Assert.Equal((.5, .5), (Weights()["dev"], Weights()["made"]));
        Assert.Contains("0 of 200 labels are doubtful", _printed.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--least 2", "--least must be from 0 to 1")]
    [InlineData("--data absent.jsonl", "Could not find file")]
    public async Task Wrong_arguments_fail_without_a_stack_trace(string arguments, string message)
    {
        RowFile.Write(Data, Clean());
        Assert.Equal(1, await RunAsync(arguments));
        Assert.Contains(message, _printed.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _printed.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_are_not_written_over_themselves_and_one_kind_of_label_is_not_checked()
    {
        Directory.CreateDirectory(Out);
        var own = Path.Combine(Out, RowFile.Name);
        RowFile.Write(own, Clean().Where(r => r.Label == Label.Benign));

        Assert.Equal(1, await RunAsync($"--data {own}"));
        Assert.Contains("--out must be another folder", _printed.ToString(), StringComparison.Ordinal);
        File.Move(own, Data);
        Assert.Equal(1, await RunAsync());
        Assert.Contains("harmful and other train rows", _printed.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Words tell the label of most rows, and nothing of the last forty: nobody is quite sure on average.</summary>
    private static IEnumerable<TrainingRow> Clean() => Enumerable.Range(0, 200).Select(i =>
    {
        var verb = i >= 160 ? "poison or paint" : i % 2 == 0 ? "poison" : "paint";
        return Row($"c{i}", $"how to {verb} the {Things[i / 2 % 10]}", i % 2 == 0 ? Label.Harmful : Label.Benign);
    });

    private static TrainingRow Row(string id, string prompt, Label label) => new(
        id, "test", DataSplit.Train, label, .5, "en", Conversation.OfPrompt(prompt),
        new Trace(new AssessmentStage(null, [], Risk.None), [], new PathStage(Decision.Answer, null)));

    private Dictionary<string, double> Weights() => RowFile.Read(Path.Combine(Out, RowFile.Name)).ToDictionary(r => r.Id, r => r.Weight);

    private Task<int> RunAsync(string arguments = "") => NoiseCommand
        .Create(AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(_printed) }))
        .Parse($"{(arguments.Contains("--data", StringComparison.Ordinal) ? "" : $"--data {Data}")} --out {Out} {arguments}")
        .InvokeAsync(new InvocationConfiguration { Error = _printed, Output = _printed }, TestContext.Current.CancellationToken);
}
