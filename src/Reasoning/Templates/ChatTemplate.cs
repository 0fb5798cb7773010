using System.Text.Json;
using SaferGuard.Reasoning.Templates.Jinja;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Templates;

/// <summary>How a model wants a conversation written: the Jinja template of a Hugging Face folder and the tokens that it names. Thread-safe.</summary>
public sealed class ChatTemplate
{
    public const string TemplateFile = "chat_template.jinja";
    public const string TokensFile = "tokenizer_config.json";

    private const int MaxTokensFileBytes = 4 << 20;

    private static readonly string[] TokenNames = ["bos_token", "eos_token", "unk_token", "pad_token"];

    private readonly JinjaTemplate _template;
    private readonly TimeProvider _time;

    private ChatTemplate(string source, IReadOnlyDictionary<string, string> tokens, TimeProvider time)
    {
        (Source, Tokens, _time) = (source, tokens, time);
        _template = JinjaTemplate.Parse(source);
    }

    public string Source { get; }

    /// <summary>The special tokens that the template may use, by their names: <c>bos_token</c> and so on.</summary>
    public IReadOnlyDictionary<string, string> Tokens { get; }

    /// <summary>The token that ends an answer; null where the folder names none.</summary>
    public string? EndToken => Tokens.GetValueOrDefault("eos_token");

    /// <summary>
    /// The template of a model's folder: <c>chat_template.jinja</c>, or the field <c>chat_template</c> of <c>tokenizer_config.json</c>; null where
    /// there is neither.
    /// </summary>
    /// <exception cref="InvalidDataException">A file is malformed or uses what is not supported.</exception>
    public static ChatTemplate? Load(string folder, TimeProvider? time = null)
    {
        var (template, tokens) = ReadTokensFile(Path.Combine(folder, TokensFile));
        var path = Path.Combine(folder, TemplateFile);
        if (File.Exists(path))
        {
            if (new FileInfo(path).Length > 4 * Lexer.MaxCharacters) throw new InvalidDataException($"{path} is too large.");
            template = File.ReadAllText(path);
        }

        try
        {
            return template is null ? null : new ChatTemplate(template, tokens, time ?? TimeProvider.System);
        }
        catch (TemplateException e)
        {
            throw new InvalidDataException($"{folder}: {e.Message}", e);
        }
    }

    /// <summary>Writes the template to a folder so that <see cref="Load"/> finds it there.</summary>
    public void Write(string folder)
    {
        File.WriteAllText(Path.Combine(folder, TemplateFile), Source);
        File.WriteAllText(Path.Combine(folder, TokensFile), JsonSerializer.Serialize(Tokens));
    }

    /// <summary>Writes a conversation.</summary>
    /// <param name="addGenerationPrompt">Ends the text where the assistant's next message begins.</param>
    /// <exception cref="TemplateException">The template fails, or does not accept this conversation.</exception>
    public ChatPrompt Render(Conversation conversation, bool addGenerationPrompt)
    {
        // Roles are names of ours, so they may be part of a special token; contents may not.
        var messages = conversation.Turns.Select(turn => new Mapping(
        [
            new(Value.Of("role"), Value.Of(NameOf(turn.Role))),
            new(Value.Of("content"), Text.OfConversation(turn.Content)),
        ]));
        var variables = new Dictionary<string, Value>(StringComparer.Ordinal)
        {
            ["messages"] = new Sequence([.. messages]),
            ["add_generation_prompt"] = Value.Of(addGenerationPrompt),
            ["tools"] = None.Value,
            ["documents"] = None.Value,
        };
        foreach (var (name, token) in Tokens) variables[name] = Text.OfTemplate(token);
        var text = _template.Render(variables, _time, Budget.For(conversation.Turns.Sum(t => (long)t.Content.Length)));
        return new ChatPrompt(text.Characters, text.Foreign);
    }

    private static string NameOf(Role role) => role switch
    {
        Role.System => "system",
        Role.User => "user",
        Role.Assistant => "assistant",
        _ => "tool",
    };

    private static (string? Template, Dictionary<string, string> Tokens) ReadTokensFile(string path)
    {
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(path)) return (null, tokens);
        if (new FileInfo(path).Length > MaxTokensFileBytes) throw new InvalidDataException($"{path} is too large.");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            foreach (var name in TokenNames)
            {
                if (TokenOf(document.RootElement, name) is { } token) tokens.Add(name, token);
            }

            return (TemplateOf(document.RootElement), tokens);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>A token is written as a string, or as an object with its content and how it is matched.</summary>
    private static string? TokenOf(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var token) || token.ValueKind == JsonValueKind.Null) return null;
        return token.ValueKind == JsonValueKind.Object ? token.GetProperty("content").GetString() : token.GetString();
    }

    /// <summary>One template, or several with names, of which one is the default.</summary>
    private static string? TemplateOf(JsonElement root)
    {
        if (!root.TryGetProperty("chat_template", out var template) || template.ValueKind == JsonValueKind.Null) return null;
        if (template.ValueKind == JsonValueKind.String) return template.GetString();
        foreach (var named in template.EnumerateArray())
        {
            if (named.GetProperty("name").GetString() == "default") return named.GetProperty("template").GetString();
        }

        throw new InvalidOperationException("none of the chat templates is named 'default'");
    }
}
