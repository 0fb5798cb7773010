using System.CommandLine;
using SaferGuard.Training.Adapters;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;
using SaferGuard.Training.Evaluation.Import;
using SaferGuard.Training.Lexical;
using SaferGuard.Training.Noise;
using SaferGuard.Training.Preference;
using SaferGuard.Training.Sft;
using SaferGuard.Training.Teacher.Llm;
using SaferGuard.Training.Tokenizers;

var root = new RootCommand(
    """
    Trains and measures SaferGuard models: synthesize rows, have a language model explain them (teach), find doubtful labels (noise), train a
    tokenizer on them or take a checkpoint of others (grow), fine-tune (sft), prefer (erpo), merge adapters, count words (lexical), calibrate,
    evaluate, and import published sets to evaluate on.
    """)
{
    SynthesizeCommand.Create(),
    TeachCommand.Create(),
    NoiseCommand.Create(),
    TokenizerCommand.Create(),
    GrowCommand.Create(),
    SftCommand.Create(),
    MergeCommand.Create(),
    ErpoCommand.Create(),
    LexicalCommand.Create(),
    CalibrateCommand.Create(),
    EvaluateCommand.Create(),
    ImportCommand.Create(),
};

// Ctrl-C cancels; a run then has this long to save its state.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
