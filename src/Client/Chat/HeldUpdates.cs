using Microsoft.Extensions.AI;

namespace SaferGuard.Client.Chat;

/// <summary>Updates of a streamed answer that wait until their window is full and judged. A window of 0 holds nothing back.</summary>
internal sealed class HeldUpdates(int windowCharacters, int overlapCharacters)
{
    private readonly List<ChatResponseUpdate> _held = [];
    private string _released = "";

    /// <summary>The window is full.</summary>
    public bool IsDue => Pieces.Sum(piece => piece.Length) >= windowCharacters;

    public IEnumerable<AIContent> Contents => _held.SelectMany(update => update.Contents);

    /// <summary>What is to be judged: the window, with the end of what was released before it. Empty when nothing new is held.</summary>
    public string Text => string.Concat(Pieces) is { Length: > 0 } window ? _released + window : "";

    private IEnumerable<string> Pieces => Contents.Select(content => ChatConversation.Text(content) ?? "");

    public void Add(ChatResponseUpdate update) => _held.Add(update);

    /// <summary>The held updates, which may go.</summary>
    public IReadOnlyList<ChatResponseUpdate> Release()
    {
        var text = _released + string.Concat(Pieces);
        _released = text.Length <= overlapCharacters ? text : text[^overlapCharacters..];
        ChatResponseUpdate[] released = [.. _held];
        _held.Clear();
        return released;
    }
}
