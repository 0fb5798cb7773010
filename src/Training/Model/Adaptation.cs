namespace SaferGuard.Training.Model;

/// <summary>What is trained beside a frozen decoder.</summary>
/// <param name="Tokens">Ids of the tokens whose rows are trained in the embedding and in the head: what the base model does not know.</param>
internal sealed record Adaptation(LoraOptions Lora, IReadOnlyList<int> Tokens);
