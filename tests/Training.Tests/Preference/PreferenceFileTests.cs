using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Preference;
using SaferGuard.Training.Tests.Sft;

namespace SaferGuard.Training.Tests.Preference;

public sealed class PreferenceFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => System.IO.Path.Combine(_folder.Path, "file.jsonl");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pairs_are_read_as_they_were_written()
    {
        PreferencePair[] pairs = [.. SmallPairs.All.Select(p => p with { Reference = new ReferenceLogs(-1.25, -2.5) })];

        PairFile.Write(Path, pairs);

        Assert.Equivalent(pairs, PairFile.Read(Path, SmallData.Tokens, _ => true), strict: true);
    }

    [Fact]
    public void Everything_that_is_wrong_with_a_pair_file_is_said_at_once()
    {
        var (assessment, verdicts, intent) = (SmallPairs.All[0], SmallPairs.All[1], SmallPairs.All[4]);
        PairFile.Write(Path, [
            assessment with { Row = "elsewhere" },
            assessment with { Rejected = assessment.Chosen },
            verdicts with { Rejected = verdicts.Rejected with { Risk = Risk.Low } },
            verdicts with { Chosen = verdicts.Chosen with { Verdicts = [Verdict.Clear] }, Rejected = verdicts.Rejected with { Category = "S99" } },
            intent with { Chosen = intent.Chosen with { Intent = new Sentence("?", [999_999], true) } },
            intent with { Rejected = intent.Rejected with { Decision = null, Intent = null } },
            assessment with { Reference = new ReferenceLogs(0.5, -1) },
        ]);
        File.AppendAllText(Path, "{ \"row\": 1 }\nnot json\n");

        var message = Assert.Throws<InvalidDataException>(() => PairFile.Read(Path, SmallData.Tokens, id => id != "elsewhere")).Message;

        string[] expected =
        [
            "line 1: the data has no row 'elsewhere'", "line 2: chosen and rejected do not differ", "line 3: chosen and rejected differ before",
            "line 4: chosen: S4 has", "line 4: rejected: the policy has no category S99", "line 5: chosen: has a token that is not text",
            "line 6: rejected: has no decision", "line 6: rejected: has no Intent", "line 7: reference", "line 8", "line 9",
        ];
        Assert.All(expected, e => Assert.Contains(e, message, StringComparison.Ordinal));
        Assert.Equal(expected.Length, message.Split('\n').Length);
    }

    [Fact]
    public void Roll_outs_go_on_behind_a_line_that_was_cut_off()
    {
        using (var file = new RollOutFile(Path))
        {
            file.Add(new RowSamples("one", [SmallPairs.All[4].Chosen]));
            file.Add(new RowSamples("two", [SmallPairs.All[0].Chosen]));
        }

        File.WriteAllText(Path, File.ReadAllText(Path)[..^20]);
        using (var file = new RollOutFile(Path))
        {
            Assert.Equal(["one"], file.Samples.Keys);
            file.Add(new RowSamples("three", []));
        }

        using var again = new RollOutFile(Path);
        Assert.Equal(["one", "three"], again.Samples.Keys.Order());
        Assert.Equal(SmallPairs.All[4].Chosen.Intent!.Tokens, again.Samples["one"].Traces[0].Intent!.Tokens);
    }

    [Fact]
    public void Roll_outs_with_a_broken_line_are_refused()
    {
        File.WriteAllText(Path, "{ }\n{ \"row\": \"one\", \"traces\": [] }\n");

        Assert.Contains("line 1", Assert.Throws<InvalidDataException>(() => new RollOutFile(Path)).Message, StringComparison.Ordinal);
    }
}
