using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace SaferGuard.Benchmarks.Kernels;

/// <summary>The <c>kernels</c> verb.</summary>
internal static class KernelsCommand
{
    public static Command Create()
    {
        var filter = new Argument<string>("filter") { Description = "Which, for example *Attention*.", DefaultValueFactory = _ => "*" };
        var command = new Command("kernels", "Measure attention, quantisation and token choice with BenchmarkDotNet.") { filter };
        command.SetAction(parsed =>
        {
            // In process: projects that BenchmarkDotNet generates do not build with central package versions.
            var config = DefaultConfig.Instance
                .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
                .AddDiagnoser(MemoryDiagnoser.Default)
                .WithArtifactsPath(Path.Combine(Repository.Root, "artifacts", "benchmarks"));
            BenchmarkSwitcher.FromAssembly(typeof(KernelsCommand).Assembly).Run(["--filter", parsed.GetRequiredValue(filter)], config);
        });
        return command;
    }
}
