using System.IO.Compression;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Training.Data;

/// <summary>A line of <c>prompts.jsonl.gz</c>: a prompt of a public source with that source's label and category.</summary>
/// <param name="Label">Null where the source only prefers one answer over another.</param>
/// <param name="LabelConf">"medium" or "low" where the label is machine-written or given by topic.</param>
/// <param name="Jailbreak">The text is, or contains, a jailbreak template.</param>
internal sealed record SourcePrompt(
    string Id,
    string Source,
    string Prompt,
    Label? Label,
    string? LabelConf = null,
    string? Category = null,
    string? Split = null,
    string? Lang = null,
    bool Jailbreak = false,
    IReadOnlyList<SourceTurn>? Conversation = null)
{
    public Conversation ToConversation() => Conversation is { Count: > 0 }
        ? new Conversation([.. Conversation.Select(t => new Turn(t.Role, t.Content))])
        : Reasoning.Traces.Conversation.OfPrompt(Prompt);
}

internal sealed record SourceTurn(Role Role, string Content);

/// <summary>Reads public prompts from a data folder.</summary>
internal static class PromptFile
{
    public const string Name = "prompts.jsonl.gz";

    /// <exception cref="InvalidDataException">A line is not such a prompt; the message names it.</exception>
    public static IEnumerable<SourcePrompt> Read(string path)
    {
        using var file = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        foreach (var prompt in JsonLines.Read<SourcePrompt>(file, path)) yield return prompt;
    }
}
