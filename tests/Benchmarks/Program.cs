using System.CommandLine;
using SaferGuard.Benchmarks.Checkpoints;
using SaferGuard.Benchmarks.Compare;
using SaferGuard.Benchmarks.Gguf;
using SaferGuard.Benchmarks.Kernels;
using SaferGuard.Benchmarks.Load;

return await new RootCommand("Measures SaferGuard. Numbers count only from a quiet machine and a Release build.")
{
    CheckpointCommand.Create(),
    CompareCommand.Create(),
    GgufCommand.Create(),
    KernelsCommand.Create(),
    LoadCommand.Create(),
}.Parse(args).InvokeAsync();
