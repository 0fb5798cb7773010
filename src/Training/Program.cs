using System.CommandLine;
using SaferGuard.Training.Adapters;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;
using SaferGuard.Training.Lexical;
using SaferGuard.Training.Preference;
using SaferGuard.Training.Sft;
using SaferGuard.Training.Teacher.Llm;
using SaferGuard.Training.Tokenizers;

var root = new RootCommand(
    "Trains and measures SaferGuard models: synthesize rows, have a language model explain them (teach), train a tokenizer on them or take a checkpoint of others (grow), fine-tune (sft), prefer (erpo), merge adapters, count words (lexical), calibrate, evaluate.")
{
    SynthesizeCommand.Create(),
    TeachCommand.Create(),
    TokenizerCommand.Create(),
    GrowCommand.Create(),
    SftCommand.Create(),
    MergeCommand.Create(),
    ErpoCommand.Create(),
    LexicalCommand.Create(),
    EvaluateCommand.Create(),
    CalibrateCommand.Create(),
};

// Ctrl-C cancels; a run then has this long to save its state.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
