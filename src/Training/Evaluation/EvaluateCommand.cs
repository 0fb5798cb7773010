using System.CommandLine;
using System.CommandLine.Parsing;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using Spectre.Console;

namespace SaferGuard.Training.Evaluation;

/// <summary>The <c>evaluate</c> verb.</summary>
public static class EvaluateCommand
{
    /// <param name="console">Where tables and errors go; the terminal by default.</param>
    public static Command Create(IAnsiConsole? console = null)
    {
        var bundle = new Option<string?>("--bundle") { Description = "Folder of the model bundle to judge with." };
        var baseline = new Option<BaselineKind[]>("--baseline")
        {
            Description = "Also train a bag of words on the data's train rows and judge with it: tfidf (the default) or hashed.",
            Arity = new ArgumentArity(0, 2),
            AllowMultipleArgumentsPerToken = true,
        };
        var data = new Option<string>("--data")
        {
            Description = "JSON lines: rows that synthesize wrote, or your own with at least {\"prompt\" or \"messages\", \"label\"}, "
                + "where label is benign, borderline-safe or harmful.",
            Required = true,
        };
        var split = new Option<string>("--split")
        {
            Description = "Judge the rows of this split, and rows without one.",
            DefaultValueFactory = _ => "dev",
        };
        var trace = new Option<string>("--trace") { Description = "Trace level: brief, full or both.", DefaultValueFactory = _ => "both" };
        trace.AcceptOnlyFromAmong("brief", "full", "both");
        var concurrency = new Option<int>("--concurrency") { Description = "Rows judged at the same time.", DefaultValueFactory = _ => 16 };
        var limit = new Option<int?>("--limit") { Description = "Judge at most so many rows, spread evenly over the data." };
        var threshold = new Option<double?>("--threshold")
        {
            Description = "Refuse from this score on, instead of by the trace's decision (baselines: 0.5).",
        };
        var fpr = new Option<double?>("--fpr")
        {
            Description = "Refuse from the score on that this share of the rows that are not harmful reaches, found for each judge on these rows.",
        };
        var point = new Option<OperatingPoint?>("--operating-point") { Description = "Decide at this point: strict, balanced or permissive." };
        var attacks = new Option<bool>("--attacks") { Description = "Also judge every prompt in a jailbreak frame and in a disguise." };
        var resamples = new Option<int>("--resamples")
        {
            Description = "Bootstrap resamples for the 95 % confidence intervals; 0 for none.",
            DefaultValueFactory = _ => 1000,
        };
        var seed = new Option<int>("--seed") { Description = "Of the resamples and attacks.", DefaultValueFactory = _ => 1 };
        var report = new Option<string?>("--out")
        {
            Description = "Folder for the report (JSON, Markdown, pictures) and the predictions, with which a run that was stopped goes on.",
        };
        var outOfFold = new Option<string?>("--out-of-fold")
        {
            Description = "Write refuse probabilities of the train rows to this JSON-lines file, "
                + "each from a hashed baseline that has not seen the row's source.",
        };
        var command = new Command("evaluate", "Measure a model bundle, or the baselines that it must beat, on labelled rows.")
        {
            bundle, baseline, data, split, trace, attacks, concurrency, limit, threshold, fpr, point, resamples, seed, report, outOfFold,
        };
        concurrency.Validators.Add(result => RequireAtLeastOne(result, result.GetValueOrDefault<int>()));
        limit.Validators.Add(result => RequireAtLeastOne(result, result.GetValueOrDefault<int?>() ?? 1));
        resamples.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 0) result.AddError("--resamples must not be negative.");
        });
        fpr.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is not (null or (>= 0 and <= 1))) result.AddError("--fpr must lie between 0 and 1.");
        });
        command.Validators.Add(result =>
        {
            if (((Option[])[threshold, fpr, point]).Count(option => result.GetResult(option) is not null) > 1)
                result.AddError("Give only one of --threshold, --fpr and --operating-point.");
            if (result.GetResult(bundle) is null && result.GetResult(baseline) is null && result.GetResult(outOfFold) is null)
            {
                result.AddError("Name a --bundle to judge with, or a --baseline.");
            }
        });
        command.SetAction((parsed, cancellation) => EvaluationRun.RunAsync(
            new EvaluateOptions(
                parsed.GetValue(bundle),
                parsed.GetResult(baseline) is null ? [] : parsed.GetValue(baseline) is { Length: > 0 } kinds ? kinds : [BaselineKind.TfIdf],
                parsed.GetRequiredValue(data),
                parsed.GetRequiredValue(split),
                parsed.GetValue(trace) switch
                {
                    "brief" => [TraceLevel.Brief],
                    "full" => [TraceLevel.Full],
                    _ => [TraceLevel.Brief, TraceLevel.Full],
                },
                parsed.GetValue(attacks),
                parsed.GetValue(concurrency),
                parsed.GetValue(limit),
                new DecisionRule(parsed.GetValue(point), parsed.GetValue(threshold), parsed.GetValue(fpr)),
                parsed.GetValue(resamples),
                parsed.GetValue(seed),
                parsed.GetValue(report),
                parsed.GetValue(outOfFold)),
            console ?? AnsiConsole.Console,
            cancellation));
        return command;
    }

    private static void RequireAtLeastOne(OptionResult result, int value)
    {
        if (value < 1) result.AddError($"{result.Option.Name} must be at least 1.");
    }
}
