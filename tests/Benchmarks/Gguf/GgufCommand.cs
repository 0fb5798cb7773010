using System.CommandLine;

namespace SaferGuard.Benchmarks.Gguf;

/// <summary>The <c>gguf</c> verb.</summary>
internal static class GgufCommand
{
    public static Command Create()
    {
        var checkpoint = new Option<string>("--checkpoint") { Description = "Folder in Hugging Face's format (Llama, Mistral, Qwen2, Qwen3).", Required = true };
        var target = new Option<string>("--out") { Description = "File to write.", Required = true };
        var type = new Option<string>("--type") { Description = "Format of the matrices.", DefaultValueFactory = _ => "f32" };
        type.AcceptOnlyFromAmong("f32", "f16", "q8_0");
        var command = new Command("gguf", "Write a checkpoint's weights and tokeniser as llama.cpp reads them.") { checkpoint, target, type };
        command.SetAction(parsed =>
        {
            GgufModel.Write(
                parsed.GetRequiredValue(checkpoint), parsed.GetRequiredValue(target), Enum.Parse<GgufType>(parsed.GetRequiredValue(type), ignoreCase: true));
        });
        return command;
    }
}
