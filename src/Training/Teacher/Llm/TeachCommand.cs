using System.CommandLine;
using Spectre.Console;

namespace SaferGuard.Training.Teacher.Llm;

/// <summary>The <c>teach</c> verb.</summary>
public static class TeachCommand
{
    /// <param name="console">Where progress and errors go; the terminal by default.</param>
    public static Command Create(IAnsiConsole? console = null)
    {
        var data = new Option<string>("--data") { Description = "Rows that synthesize wrote (JSON lines).", Required = true };
        var output = new Option<string>("--out")
        {
            Description = $"Folder that receives {TeachJournal.Name} (every answer as it comes; a later run goes on from it) and "
                + $"{Data.RowFile.Name} (all rows, with the new traces where there are good ones).",
            Required = true,
        };
        var endpoint = new Option<Uri>("--endpoint")
        {
            Description = "Base address of an OpenAI-compatible endpoint, for example https://api.openai.com/v1.",
            Required = true,
            CustomParser = result => Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var uri) ? uri : new Uri("relative", UriKind.Relative),
        };
        var model = new Option<string>("--model") { Description = "The model that writes traces.", Required = true };
        var judgeModel = new Option<string?>("--judge-model") { Description = "The model that scores them; by default the same." };
        var key = new Option<string?>("--key-variable") { Description = "Name of the environment variable that holds the API key. Without it the endpoint must need no key." };
        var source = new Option<string[]>("--source")
        {
            Description = "Teach rows of these sources only (name, or start*); by default all but the written traces.",
            AllowMultipleArgumentsPerToken = true,
        };
        var limit = new Option<int?>("--limit") { Description = "Teach at most so many rows, drawn evenly. A higher limit later goes on from them." };
        var concurrency = Option("--concurrency", 8, "Rows in work at the same time.");
        var attempts = Option("--attempts", 2, "Answers asked for until one can be read.");
        var compliance = Option("--min-compliance", 8, "Least score, 0 to 10, of a trace that is kept. Nobody judges where all three are 0.");
        var relevance = Option("--min-relevance", 8, "Likewise.");
        var accuracy = Option("--min-accuracy", 8, "Likewise.");
        var maxTokens = Option("--max-output-tokens", 1024, "The longest answer.");
        var temperature = new Option<float?>("--temperature") { Description = "Sampling temperature; by default the endpoint's." };
        var inputPrice = Option("--input-price", 0d, "Price of a million input tokens, for the cost shown.");
        var outputPrice = Option("--output-price", 0d, "Price of a million output tokens.");
        var timeout = Option("--timeout", PatienceOptions.Default.CallTimeout.TotalSeconds, "Seconds that one call may take.");
        var retries = Option("--retries", PatienceOptions.Default.Retries, "Retries of a failed call, with growing delays.");
        var command = new Command("teach", "Have a language model write the traces of rows, and a second call judge them.")
        {
            data, output, endpoint, model, judgeModel, key, source, limit, concurrency, attempts, compliance, relevance, accuracy, maxTokens,
            temperature, inputPrice, outputPrice, timeout, retries,
        };
        command.SetAction((parsed, cancellation) => TeachRun.RunAsync(
            new TeachOptions(
                parsed.GetRequiredValue(data), parsed.GetRequiredValue(output), parsed.GetRequiredValue(endpoint), parsed.GetRequiredValue(model), parsed.GetValue(key))
            {
                JudgeModel = parsed.GetValue(judgeModel),
                Least = new JudgeScores(parsed.GetValue(compliance), parsed.GetValue(relevance), parsed.GetValue(accuracy)),
                Sources = parsed.GetValue(source) ?? [],
                Limit = parsed.GetValue(limit),
                Concurrency = parsed.GetValue(concurrency),
                Attempts = parsed.GetValue(attempts),
                MaxOutputTokens = parsed.GetValue(maxTokens),
                Temperature = parsed.GetValue(temperature),
                InputPrice = parsed.GetValue(inputPrice),
                OutputPrice = parsed.GetValue(outputPrice),
                Patience = PatienceOptions.Default with
                {
                    Retries = parsed.GetValue(retries),
                    CallTimeout = TimeSpan.FromSeconds(Math.Clamp(parsed.GetValue(timeout), 0, 1e6)),
                },
            },
            console ?? AnsiConsole.Console,
            cancellation));
        return command;
    }

    private static Option<T> Option<T>(string name, T value, string description) => new(name) { Description = description, DefaultValueFactory = _ => value };
}
