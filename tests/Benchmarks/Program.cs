using System.CommandLine;
using SaferGuard.Benchmarks.Checkpoints;
using SaferGuard.Benchmarks.Gguf;

return await new RootCommand("Measures SaferGuard. Numbers count only from a quiet machine and a Release build.")
{
    CheckpointCommand.Create(),
    GgufCommand.Create(),
}.Parse(args).InvokeAsync();
