using System.CommandLine;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;
using Spectre.Console;

namespace SaferGuard.Training.Lexical;

/// <summary>The <c>lexical</c> verb.</summary>
public static class LexicalCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Rows that synthesize wrote (JSON lines).", Required = true };
        var output = new Option<string>("--out") { Description = "lexical.safetensors to write; put it into the checkpoint folder.", Required = true };
        var command = new Command("lexical", "Train the bag of n-grams that a bundle weighs beside its model.") { data, output };
        command.SetAction(parsed =>
        {
            try
            {
                var path = parsed.GetRequiredValue(output);
                LexicalTrainer.Train([.. LabelledRowReader.Read(parsed.GetRequiredValue(data)).Where(r => r.Split == DataSplit.Train)]).Save(path);
                AnsiConsole.MarkupLineInterpolated($"Wrote {path}.");
                return 0;
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                AnsiConsole.MarkupLineInterpolated($"[red]error:[/] {e.Message}");
                return 1;
            }
        });
        return command;
    }
}
