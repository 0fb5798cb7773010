using SaferGuard.Reasoning.Traces;
using YamlDotNet.RepresentationModel;

namespace SaferGuard.Reasoning.Policies;

/// <summary>Reads the examples of a policy file.</summary>
internal static class ExampleReader
{
    private const int MaxTextLength = 32_768;
    private const int MaxTurns = 64;
    private const int MaxNameLength = 60;

    /// <param name="policy">Whose examples these are; null when it is not valid, so that its rules are not known.</param>
    public static PolicyExample? Read(YamlNode node, string path, Policy? policy, PolicyErrors errors)
    {
        var fields = PolicyFields.Of(node, path, errors, "name", "input", "messages", "response", "expect", "violates");
        if (fields is null) return null;
        var conversation = ReadConversation(fields, path, errors);
        var expect = fields.Choice<Decision>("expect");
        var violates = fields.Has("violates") ? fields.List("violates", 64, (rule, at) => ReadRule(rule, at, policy, errors)) : [];
        var name = fields.Has("name") ? fields.Text("name", maxLength: 200) : conversation is null ? null : NameOf(conversation);
        return conversation is null || expect is null || violates is null || name is null ? null : new(name, conversation, expect.Value, violates);
    }

    private static Conversation? ReadConversation(PolicyFields fields, string path, PolicyErrors errors)
    {
        if (fields.Has("input") == fields.Has("messages"))
            return errors.Add<Conversation>(path, "needs one of input and messages", "write a prompt as input, a conversation as messages");
        var turns = fields.Has("input")
            ? fields.FreeText("input", MaxTextLength) is { } input ? [new Turn(Role.User, input)] : null
            : fields.List("messages", MaxTurns, (node, at) => ReadTurn(node, at, errors));
        if (!fields.Has("response")) return turns is null ? null : new(turns);
        var response = fields.FreeText("response", MaxTextLength);
        return turns is null || response is null ? null : new([.. turns, new Turn(Role.Assistant, response)], Subject.Response);
    }

    private static Turn? ReadTurn(YamlNode node, string path, PolicyErrors errors)
    {
        var fields = PolicyFields.Of(node, path, errors, "role", "content");
        var role = fields?.Choice<Role>("role");
        var content = fields?.FreeText("content", MaxTextLength);
        return role is null || content is null ? null : new(role.Value, content);
    }

    private static string? ReadRule(YamlNode node, string path, Policy? policy, PolicyErrors errors)
    {
        if (node is not YamlScalarNode { Value: { Length: > 0 } id }) return errors.Add<string>(path, "is not a rule", "write its id");
        if (policy is null || (policy.TryGetRule(id, out var rule) && rule.IsChecked)) return id;
        return errors.Add<string>(path, "is no rule that this policy checks", "write the id of one that is not off");
    }

    /// <summary>The beginning of what is judged, on one line.</summary>
    private static string NameOf(Conversation conversation)
    {
        var text = string.Concat(conversation.Turns[^1].Content.Trim().Select(c => char.IsControl(c) ? ' ' : c));
        if (text.Length <= MaxNameLength) return text;
        var end = char.IsHighSurrogate(text[MaxNameLength - 1]) ? MaxNameLength - 1 : MaxNameLength;
        return $"{text.AsSpan(0, end)}…";
    }
}
