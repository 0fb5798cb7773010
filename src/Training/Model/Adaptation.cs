using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Model;

/// <summary>What is trained beside a frozen decoder.</summary>
/// <param name="Tokens">Ids of the tokens whose rows are trained in the embedding and in the head.</param>
internal sealed record Adaptation(LoraOptions Lora, IReadOnlyList<int> Tokens)
{
    /// <summary>The rows are those of the special tokens of traces, which models of others do not know.</summary>
    public static Adaptation Of(LoraOptions lora, GuardTokenizer tokenizer) => new(lora, [.. TraceFormat.SpecialTokens.Select(tokenizer.SpecialId)]);
}
