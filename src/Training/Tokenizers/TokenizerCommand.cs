using System.CommandLine;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using Spectre.Console;

namespace SaferGuard.Training.Tokenizers;

/// <summary>The <c>tokenizer</c> verb.</summary>
public static class TokenizerCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Rows that synthesize wrote (JSON lines).", Required = true };
        var output = new Option<string>("--out") { Description = "tokenizer.json to write.", Required = true };
        var vocabulary = new Option<int>("--vocabulary") { Description = "Tokens, special ones included.", DefaultValueFactory = _ => 8192 };
        vocabulary.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 512 or > 1 << 18) result.AddError($"--vocabulary must lie between 512 and {1 << 18}.");
        });
        var command = new Command("tokenizer", "Train a byte-level BPE tokeniser on the prompts and sentences of the train rows.") { data, output, vocabulary };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(data), parsed.GetRequiredValue(output), parsed.GetRequiredValue(vocabulary)));
        return command;
    }

    private static int Run(string data, string output, int vocabulary)
    {
        try
        {
            AnsiConsole.Progress().Start(context =>
            {
                var task = context.AddTask("Merging pairs", maxValue: vocabulary);
                var texts = RowFile.Read(data).Where(r => r.Split == DataSplit.Train).SelectMany(Texts);
                var tokenizer = BpeTrainer.Train(texts, vocabulary, TraceFormat.SpecialTokens, new Progress<int>(n => task.Value = n));
                tokenizer.Save(output);
                task.Value = vocabulary;
            });
            AnsiConsole.MarkupLineInterpolated($"Wrote {output}.");
            return 0;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
            return 1;
        }
    }

    private static IEnumerable<string> Texts(TrainingRow row) =>
        row.Conversation.Turns.Select(t => t.Content)
            .Concat(new[] { row.Trace.Assessment.Intent, row.Trace.Path.Strategy }.OfType<string>());
}
