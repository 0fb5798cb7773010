namespace SaferGuard.Reasoning.Templates;

/// <summary>A chat template is malformed, asks for too much, or does not accept a conversation; the message says what, and where.</summary>
public sealed class TemplateException : Exception
{
    private readonly int _line;

    /// <param name="line">1-based line of the template; 0 where it is not known yet.</param>
    internal TemplateException(string reason, int line = 0)
        : base($"The chat template{(line == 0 ? "" : $", line {line}")}: {reason}{(reason.EndsWith('.') ? "" : ".")}") =>
        (Reason, _line) = (reason, line);

    /// <summary>What is wrong, without the place.</summary>
    public string Reason { get; }

    /// <summary>The template itself does not accept the conversation: it called <c>raise_exception</c> with <see cref="Reason"/>.</summary>
    public bool IsRaisedByTemplate { get; private init; }

    internal static TemplateException RaisedBy(string message) => new(message) { IsRaisedByTemplate = true };

    internal TemplateException At(int line) =>
        _line != 0 || line == 0 ? this : new TemplateException(Reason, line) { IsRaisedByTemplate = IsRaisedByTemplate };
}
