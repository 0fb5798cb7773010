using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Tests.Evaluation;

public sealed class LabelledRowReaderTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"set-{Guid.NewGuid():N}.jsonl");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void A_row_of_one_s_own_needs_a_prompt_and_a_label()
    {
        var row = Assert.Single(Read("""{"prompt": "How do magnets work?", "label": "benign"}"""));

        Assert.Equal((Label.Benign, 1.0, null), (row.Label, row.Weight, row.Split));
        Assert.Equal(Path.GetFileNameWithoutExtension(_file), row.Source);
        Assert.Null(row.Categories);
        Assert.Equal("How do magnets work?", row.Text);
    }

    [Fact]
    public void Messages_keep_their_roles_and_subject()
    {
        var row = Assert.Single(Read(
            """{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "label": "borderline-safe", "subject": "response"}"""));

        Assert.Equal([new Turn(Role.User, "a"), new Turn(Role.Assistant, "b")], row.Conversation.Turns);
        Assert.Equal((Subject.Response, Label.BorderlineSafe), (row.Conversation.Subject, row.Label));
    }

    [Fact]
    public void Rows_of_synthesize_are_read_with_their_gold_categories()
    {
        var row = Assert.Single(Read(
            """
            {"id": "x:1", "source": "x", "split": "dev", "label": "harmful", "weight": 0.5, "lang": "en", "conversation": {"turns": [{"role": "user", "content": "a"}], "subject": "prompt"}, "trace": {"assessment": {"intent": null, "categories": ["S4"], "risk": "high"}, "rule_checks": [{"rule": "S4.1", "verdict": "not-applicable", "evidence": null}], "path": {"decision": "refuse", "strategy": null}}}
            """));

        Assert.Equal(("x:1", "x", "dev", 0.5), (row.Id, row.Source, row.Split, row.Weight));
        Assert.True(row.IsHarmful);
        Assert.Equal(["S4"], row.Categories);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{"prompt": "a"}""")]
    [InlineData("""{"prompt": "a", "label": "bad"}""")]
    [InlineData("""{"label": "benign"}""")]
    [InlineData("""{"prompt": "a", "messages": [{"role": "user", "content": "a"}], "label": "benign"}""")]
    [InlineData("""{"messages": [], "label": "benign"}""")]
    [InlineData("""{"messages": [null], "label": "benign"}""")]
    [InlineData("""{"messages": [{"role": "user"}], "label": "benign"}""")]
    [InlineData("""{"messages": [{"role": "robot", "content": "a"}], "label": "benign"}""")]
    [InlineData("""{"prompt": "a", "label": "benign", "weight": -1}""")]
    public void A_wrong_row_is_named_by_its_line(string line)
    {
        var error = Assert.Throws<InvalidDataException>(() => Read("""{"prompt": "a", "label": "benign"}""", "", line));

        Assert.Contains("line 3", error.Message);
    }

    private IReadOnlyList<LabelledRow> Read(params string[] lines)
    {
        File.WriteAllLines(_file, lines);
        return LabelledRowReader.Read(_file);
    }
}
