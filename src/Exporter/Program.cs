using System.CommandLine;
using SaferGuard.Exporter;

return await new RootCommand("Exports SaferGuard checkpoints to ONNX bundles.")
{
    ExportCommand.Create(),
}.Parse(args).InvokeAsync();
