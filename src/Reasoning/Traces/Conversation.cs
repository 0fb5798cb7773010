namespace SaferGuard.Reasoning.Traces;

public enum Role
{
    System,
    User,
    Assistant,
    Tool,
}

/// <summary>What is judged: the request that the conversation makes, or its last assistant message.</summary>
public enum Subject
{
    Prompt,
    Response,
}

public sealed record Turn(Role Role, string Content);

/// <summary>A conversation to judge: at least one turn.</summary>
public sealed record Conversation(IReadOnlyList<Turn> Turns, Subject Subject = Subject.Prompt)
{
    public static Conversation OfPrompt(string prompt) => new([new Turn(Role.User, prompt)]);
}
