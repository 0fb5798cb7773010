using System.CommandLine;
using System.IO.Compression;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;
using SaferGuard.Training.Evaluation.Import;
using Spectre.Console;

namespace SaferGuard.Training.Tests.Evaluation.Import;

/// <summary>All rows are made up: the published sets are held out.</summary>
public sealed class ImportCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _printed = new();

    /// <summary>Format, file, its text, and the rows as label, text, topic, attack and language.</summary>
    public static TheoryData<string, string, string, string[]> Published { get; } = new()
    {
        { "advbench", "a.csv", "goal,target\r\n\"Bake a \"\"bad\"\" cake, slowly\",\"Sure,\nhere\"\r\nBurn it,Sure", ["Harmful|Bake a \"bad\" cake, slowly|||", "Harmful|Burn it|||"] },
        {
            "aegis", "a.json",
            """[{"prompt": "a", "prompt_label": "safe"}, {"prompt": "b", "prompt_label": "unsafe", "violated_categories": "Baking"}, {"prompt": "REDACTED", "prompt_label": "unsafe"}]""",
            ["Benign|a|||", "Harmful|b|Baking||"]
        },
        { "aya-redteaming", "a.jsonl", """{"prompt": "a", "harm_category": "['Baking', 'Other']", "language": "Hindi"}""", ["Harmful|a|Baking||Hindi"] },
        {
            "beavertails", "a.jsonl",
            """
            {"prompt": "a", "response": "b", "category": {"baking": true, "cooking": false}, "is_safe": false}
            {"prompt": "a", "response": "c", "category": {"baking": false}, "is_safe": true}
            """,
            ["Harmful|a / b|baking||", "Benign|a / c|||"]
        },
        { "beavertails-evaluation", "a.json", """[{"prompt": "a", "category": "baking", "category_id": "0"}]""", ["Harmful|a|baking||"] },
        { "do-not-answer", "a.csv", "id,risk_area,question\n0,Baking,a", ["Harmful|a|Baking||"] },
        {
            "harmbench", "a.csv", "Behavior,FunctionalCategory,SemanticCategory,Tags,ContextString,BehaviorID\nb,contextual,baking,,c,x\nd,standard,baking,,,y",
            ["Harmful|c\n\n---\n\nb|baking||", "Harmful|d|baking||"]
        },
        { "jailbreakbench", "a.csv", "Index,Goal,Target,Behavior,Category,Source\n0,a,,,Baking,", ["Harmful|a|Baking||"] },
        { "jailbreakbench-benign", "a.csv", "Index,Goal,Target,Behavior,Category,Source\n0,a,,,Baking,", ["BorderlineSafe|a|Baking||"] },
        { "multijail", "a.csv", "id,source,tags,en,zh,jv\n1,s,Baking,a,甲,", ["Harmful|a|Baking||en", "Harmful|甲|Baking||zh"] },
        {
            "openai-moderation", "a.jsonl.gz",
            """
            {"prompt": "a", "S": 0, "H": 0}
            {"prompt": "b", "S": 0, "H": 1, "V": 1}
            {"prompt": "c"}
            """,
            ["Benign|a|||", "Harmful|b|H + V||"]
        },
        { "or-bench", "a.csv", "prompt,category\na,baking", ["BorderlineSafe|a|baking||"] },
        { "or-bench-toxic", "a.csv", "prompt,category\na,baking", ["Harmful|a|baking||"] },
        { "simplesafetytests", "a.csv", "id,harm_area,counter,category,prompts_final\n1,Baking,1,x,a", ["Harmful|a|Baking||"] },
        {
            "sorry-bench", "a.jsonl",
            """
            {"question_id": 1, "category": "1", "turns": ["a"], "prompt_style": "base"}
            {"question_id": 2, "category": "1", "turns": ["b"], "prompt_style": "morse"}
            """,
            ["Harmful|a|1||", "Harmful|b|1|morse|"]
        },
        { "strongreject", "a.csv", "category,source,forbidden_prompt\nBaking,x,a", ["Harmful|a|Baking||"] },
        {
            "toxicchat", "a.csv", "conv_id,user_input,model_output,human_annotation,toxicity,jailbreaking,openai_moderation\nx,a,,True,1,1,[]\ny,b,,True,0,0,[]",
            ["Harmful|a||jailbreak|", "Benign|b|||"]
        },
        {
            "wildguardtest", "a.jsonl",
            """
            {"prompt": "a", "adversarial": true, "prompt_harm_label": "harmful", "subcategory": "baking"}
            {"prompt": "b", "adversarial": false, "prompt_harm_label": "unharmful", "subcategory": "benign"}
            {"prompt": "c", "adversarial": false, "prompt_harm_label": null}
            """,
            ["Harmful|a|baking|adversarial|", "Benign|b|benign||"]
        },
        { "xstest", "a.csv", "id,prompt,type,label,focus,note\n1,a,homonyms,safe,,\n2,b,contrast_homonyms,unsafe,,", ["BorderlineSafe|a|homonyms||", "Harmful|b|contrast_homonyms||"] },
        { "xstest", "a.tsv", "id_v1\tid_v2\ttype\tprompt\n1\t1\thomonyms\ta\n2\t2\tcontrast_homonyms\tb", ["BorderlineSafe|a|homonyms||", "Harmful|b|contrast_homonyms||"] },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Published))]
    public void A_published_file_becomes_rows_that_evaluate_reads(string format, string file, string text, string[] rows)
    {
        Assert.Equal(0, Run(format, Write(file, text)));

        var read = LabelledRowReader.Read(_folder["rows.jsonl"]);
        Assert.Equal(
            rows,
            read.Select(r => $"{r.Label}|{string.Join(" / ", r.Conversation.Turns.Select(t => t.Content))}|{r.Topic}|{r.Attack}|{r.Lang}"));
        Assert.All(read, r => Assert.Equal(format, r.Source));
        Assert.Equal(read.Count, read.Select(r => r.Id).Distinct().Count());
        Assert.All(read, r => Assert.Equal(format == "beavertails" ? Subject.Response : Subject.Prompt, r.Conversation.Subject));
    }

    [Fact]
    public void Every_format_is_tested() => Assert.Equal(SetFormat.All.Select(f => f.Name), Published.Select(row => row.Data.Item1).Distinct());

    [Fact]
    public void All_bad_rows_are_named_and_nothing_is_written()
    {
        var file = Write("a.csv", "prompt,prompt_label\na,safe\nb\n\"c\nd\",odd\n,safe\ne,unsafe");

        Assert.Equal(1, Run("aegis", file));

        var printed = _printed.ToString().ReplaceLineEndings(" ");
        Assert.Contains("has 3 bad lines", printed);
        Assert.Contains("line 3: has 1 fields; the header has 2", printed);
        Assert.Contains("line 4: 'prompt_label' is 'odd'", printed);
        Assert.Contains("line 6: needs 'prompt'; it has the columns prompt, prompt_label", printed);
        Assert.False(File.Exists(_folder["rows.jsonl"]));

        Assert.Equal(0, Run("aegis", file, "--skip-bad"));
        Assert.Equal([Label.Benign, Label.Harmful], LabelledRowReader.Read(_folder["rows.jsonl"]).Select(r => r.Label));
    }

    [Theory]
    [InlineData("a.csv", "prompt,category\n\"a,b", "line 2: a field in quotes does not end")]
    [InlineData("a.csv", "prompt,Prompt\na,b", "the column 'Prompt' is there twice")]
    [InlineData("a.csv", "text,category\na,b", "needs 'prompt'; it has the columns text, category")]
    [InlineData("a.csv", "", "has no rows")]
    [InlineData("a.json", "[{\"prompt\": ", "The file is not JSON")]
    [InlineData("a.json", "[1]", "must be an object, not Number")]
    [InlineData("a.jsonl", "{\"prompt\": \"a\"}\nnull", "line 2: must be an object, not Null")]
    [InlineData("a.parquet", "PAR1", "must be converted first")]
    public void What_cannot_be_read_is_told_without_a_stack_trace(string file, string text, string message)
    {
        Assert.Equal(1, Run("or-bench", Write(file, text)));

        Assert.Contains(message, _printed.ToString().ReplaceLineEndings(" "));
        Assert.DoesNotContain("   at ", _printed.ToString());
    }

    [Fact]
    public void A_missing_file_and_a_file_that_is_not_compressed_are_told()
    {
        Assert.Equal(1, Run("or-bench", _folder["absent.csv"]));
        var file = _folder["a.csv.gz"];
        File.WriteAllText(file, "prompt,category\na,b");
        Assert.Equal(1, Run("or-bench", file));
        Assert.Equal(2, _printed.ToString().Split("error:").Length - 1);
    }

    private int Run(string format, string file, params string[] more) => ImportCommand
        .Create(AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new WideOutput(_printed) }))
        .Parse(["--format", format, "--in", file, "--out", _folder["rows.jsonl"], .. more])
        .Invoke(new InvocationConfiguration { Error = _printed, Output = _printed });

    private string Write(string name, string text)
    {
        var path = _folder[name];
        using var file = File.Create(path);
        using Stream target = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Compress) : file;
        using var writer = new StreamWriter(target);
        writer.Write(text);
        return path;
    }

    /// <summary>So wide that no message is broken into lines.</summary>
    private sealed class WideOutput(TextWriter writer) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => false;

        public int Width => 1000;

        public int Height => 100;

        public void SetEncoding(System.Text.Encoding encoding)
        {
        }
    }
}
