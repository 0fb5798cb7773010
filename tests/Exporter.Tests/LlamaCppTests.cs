using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Exporter.Tests;

/// <summary>Exported graphs against what llama.cpp computes with the same weights: see <c>tests/CrossCheck</c>.</summary>
public sealed class LlamaCppTests : IDisposable
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("smollm2")]
    [InlineData("llama-3.1")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    public void The_fp32_graph_has_the_logits_and_the_greedy_tokens_of_llama_cpp(string model)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "CrossCheck", model);
        var checkpoint = Checkpoint.Load(folder);
        Directory.CreateDirectory(_folder["bundle"]);
        TransformerExporter.Export(checkpoint, WeightFormat.Fp32, _folder["bundle"]);
        using var run = new RaggedRun(checkpoint, _folder["bundle"]);

        var answers = JsonSerializer.Deserialize<Answer[]>(File.ReadAllText(Path.Combine(folder, "llama.cpp.json")), Json)!;
        Assert.Equal(3, answers.Length);
        foreach (var answer in answers)
        {
            Assert.NotEmpty(answer.Greedy);

            // The prompt in two chunks, then a token at a time.
            var sequence = new RaggedRun.Cursor([.. answer.Prompt, .. answer.Greedy]);
            if (answer.Prompt.Length > 1) run.Step((sequence, answer.Prompt.Length / 2));
            var logits = run.Step((sequence, answer.Prompt.Length - sequence.Past))[0][^1];
            for (var i = 0; i < logits.Length; i++) Assert.InRange(logits[i] - answer.Logits[i], -1e-3f, 1e-3f);
            foreach (var token in answer.Greedy)
            {
                Assert.Equal(token, logits.IndexOf(logits.Max()));
                logits = run.Step((sequence, 1))[0][0];
            }
        }
    }

    /// <param name="Logits">Behind the prompt.</param>
    /// <param name="Greedy">How llama.cpp continues it, up to where two tokens are about equally likely.</param>
    private sealed record Answer(int[] Prompt, float[] Logits, int[] Greedy);
}
