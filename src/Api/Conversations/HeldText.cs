using System.Text;

namespace SaferGuard.Api.Conversations;

/// <summary>A piece of text to judge. When it has passed, its first <paramref name="Releases"/> characters may leave.</summary>
/// <param name="Start">Where it begins in the whole text.</param>
internal readonly record struct TextWindow(int Start, string Text, int Releases);

/// <summary>
/// Text that comes in pieces and is held back until the window that it lies in has been judged. The last <paramref name="overlap"/> characters of a
/// window stay for the next one, so that no phrase up to that length leaves, even in part, before it has been judged as a whole.
/// </summary>
internal sealed class HeldText(int characters, int overlap)
{
    private readonly StringBuilder _held = new();
    private int _start;

    /// <summary>Characters that have come and not left.</summary>
    public int Length => _held.Length;

    public void Append(string text) => _held.Append(text);

    /// <summary>The next window, or null if too little has come for one.</summary>
    /// <param name="ended">Nothing more will come: what is left is a window, however short.</param>
    public TextWindow? Next(bool ended)
    {
        if (_held.Length == 0 || (_held.Length <= characters && !ended)) return null;
        if (_held.Length <= characters) return new(_start, _held.ToString(), _held.Length);
        var length = Whole(characters);
        return new(_start, _held.ToString(0, length), Whole(length - overlap));
    }

    /// <summary>Lets go of what the latest window releases.</summary>
    public string Release(TextWindow window)
    {
        var text = _held.ToString(0, window.Releases);
        _held.Remove(0, window.Releases);
        _start += window.Releases;
        return text;
    }

    /// <summary>All that is still held.</summary>
    public override string ToString() => _held.ToString();

    /// <summary>All windows of a text that is there as a whole.</summary>
    public IReadOnlyList<TextWindow> AllOf(string text)
    {
        Append(text);
        var windows = new List<TextWindow>();
        while (Next(ended: true) is { } window)
        {
            windows.Add(window);
            Release(window);
        }

        return windows;
    }

    /// <summary>The two halves of a surrogate pair stay together.</summary>
    private int Whole(int length) => length > 1 && char.IsHighSurrogate(_held[length - 1]) ? length - 1 : length;
}
