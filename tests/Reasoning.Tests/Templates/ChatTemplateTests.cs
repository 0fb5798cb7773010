using System.Text.Json;
using SaferGuard.Reasoning.Templates;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tests.Templates;

public sealed class ChatTemplateTests : IDisposable
{
    private const string ChatMl =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>\\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private static readonly Conversation Conversation =
        new([new Turn(Role.System, " Be kind. "), new Turn(Role.User, "Hi"), new Turn(Role.Assistant, "Hello"), new Turn(Role.Tool, "{}")]);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_conversation_is_written_as_its_template_says()
    {
        var template = Load(new { chat_template = ChatMl, eos_token = "<|im_end|>" });
        const string Expected =
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>tool\n{}<|im_end|>\n";
        Assert.Equal(Expected, template.Render(Conversation, addGenerationPrompt: false).Text);
        Assert.Equal(Expected + "<|im_start|>assistant\n", template.Render(Conversation, addGenerationPrompt: true).Text);
    }

    [Fact]
    public void Only_the_contents_of_messages_are_foreign()
    {
        var prompt = Load(new { chat_template = ChatMl }).Render(Conversation, addGenerationPrompt: true);
        Assert.Equal(["Be kind.", "Hi", "Hello", "{}"], prompt.Foreign.Select(r => prompt.Text[r.Start..r.End]));
    }

    [Fact]
    public void Tokens_are_strings_or_objects_and_are_given_to_the_template()
    {
        var template = Load(new
        {
            bos_token = new { content = "<s>", lstrip = false },
            eos_token = "</s>",
            pad_token = (string?)null,
            chat_template = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token is defined }}{{ tools is none }}",
        });
        Assert.Equal("<s>x</s>FalseTrue", template.Render(Conversation.OfPrompt("x"), addGenerationPrompt: true).Text);
        Assert.Equal("</s>", template.EndToken);
    }

    [Fact]
    public void Of_several_templates_the_default_is_taken()
    {
        var template = Load(new { chat_template = new[] { new { name = "tool_use", template = "T" }, new { name = "default", template = "D" } } });
        Assert.Equal("D", template.Render(Conversation, addGenerationPrompt: true).Text);
        Assert.Throws<InvalidDataException>(() => Load(new { chat_template = new[] { new { name = "tool_use", template = "T" } } }));
    }

    [Fact]
    public void A_file_of_its_own_comes_before_the_field()
    {
        File.WriteAllText(Path.Combine(_folder.Path, ChatTemplate.TemplateFile), "{{ eos_token }}!");
        Assert.Equal("</s>!", Load(new { chat_template = "field", eos_token = "</s>" }).Render(Conversation, addGenerationPrompt: true).Text);
    }

    [Fact]
    public void A_folder_without_a_template_has_none()
    {
        Assert.Null(ChatTemplate.Load(_folder.Path));
        File.WriteAllText(Path.Combine(_folder.Path, ChatTemplate.TokensFile), """{"eos_token": "</s>"}""");
        Assert.Null(ChatTemplate.Load(_folder.Path));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        var written = Load(new { chat_template = ChatMl, bos_token = "<s>", eos_token = new { content = "</s>" } });
        using var other = new TemporaryFolder();
        written.Write(other.Path);
        var read = ChatTemplate.Load(other.Path)!;
        Assert.Equal((written.Source, "<s>", "</s>"), (read.Source, read.Tokens["bos_token"], read.EndToken));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"eos_token": 5}""")]
    [InlineData("""{"eos_token": {}}""")]
    [InlineData("""{"chat_template": 5}""")]
    [InlineData("""{"chat_template": [{"name": "default"}]}""")]
    [InlineData("""{"chat_template": [5]}""")]
    [InlineData("""{"chat_template": "{% for %}"}""")]
    public void A_malformed_file_is_refused_when_it_is_read(string json)
    {
        File.WriteAllText(Path.Combine(_folder.Path, ChatTemplate.TokensFile), json);
        var error = Assert.Throws<InvalidDataException>(() => ChatTemplate.Load(_folder.Path));
        Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_conversation_that_the_template_does_not_accept_is_turned_down_with_its_reason()
    {
        var template = Load(new
        {
            chat_template = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}ok",
        });
        var error = Assert.Throws<TemplateException>(() => template.Render(Conversation, addGenerationPrompt: true));
        Assert.Equal(("System role not supported", true), (error.Reason, error.IsRaisedByTemplate));
    }

    [Fact]
    public void A_long_conversation_is_within_the_budget()
    {
        var turns = Enumerable.Range(0, 2000).Select(i => new Turn(i % 2 == 0 ? Role.User : Role.Assistant, new string('x', 500))).ToList();
        Assert.True(Load(new { chat_template = ChatMl }).Render(new Conversation(turns), addGenerationPrompt: true).Text.Length > 1_000_000);
    }

    private ChatTemplate Load(object tokensFile)
    {
        File.WriteAllText(Path.Combine(_folder.Path, ChatTemplate.TokensFile), JsonSerializer.Serialize(tokensFile));
        return ChatTemplate.Load(_folder.Path)!;
    }
}
