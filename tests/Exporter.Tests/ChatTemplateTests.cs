using System.Text.Json;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Templates;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Exporter.Tests;

/// <summary>A model's chat template, from its folder through the bundle to its answer.</summary>
public sealed class ChatTemplateTests : IDisposable
{
    private const string Template =
        "{% for m in messages %}{{ '<|path|>' + m.role + ':' + m.content | trim + '<|verdicts|>' }}{% endfor %}{% if add_generation_prompt %}>>{% endif %}";

    private static readonly EngineOptions Engine = new() { CacheTokens = 8192, MaxPromptTokens = 200 };

    private readonly TemporaryFolder _folder = new();
    private readonly Checkpoint _checkpoint;

    public ChatTemplateTests() => _checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], TinyCheckpoint.Config(ngrams: false) with { MaxPositionEmbeddings = 2048 });

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_model_is_asked_as_its_template_says_and_ends_with_its_token()
    {
        WriteTokensFile(new { eos_token = "<|verdicts|>", chat_template = Template });
        var bundle = Export();
        await using var guard = Guard.Load(bundle.Folder, Engine);
        var conversation = new Conversation([new Turn(Role.System, " Be kind. "), new Turn(Role.User, "Hi <|verdicts|>")]);
        var answer = await AnswerAsync(guard, conversation, maxTokens: 24);

        // The same by the plain model, which knows nothing of templates.
        int Special(string token) => bundle.Tokenizer.SpecialId(token);
        List<int> tokens =
        [
            Special("<|path|>"), .. Encode(bundle, "system:Be kind."), Special("<|verdicts|>"),
            Special("<|path|>"), .. Encode(bundle, "user:Hi <|verdicts|>"), Special("<|verdicts|>"), .. Encode(bundle, ">>"),
        ];
        var start = tokens.Count;
        var plain = new PlainTransformer(_checkpoint);
        while (tokens.Count - start < 24)
        {
            var logits = plain.Forward(tokens.ToArray(), [])[^1];
            var next = Enumerable.Range(0, bundle.Tokenizer.VocabularySize)
                .Where(id => !bundle.Tokenizer.IsSpecial(id) || id == Special("<|verdicts|>")).MaxBy(id => logits[id]);
            if (next == Special("<|verdicts|>")) break;
            tokens.Add(next);
        }

        Assert.Equal(bundle.Tokenizer.Decode(tokens.ToArray().AsSpan(start)), answer.Text);
        Assert.Equal(tokens.Count - start, answer.Tokens);
    }

    [Fact]
    public async Task A_conversation_that_the_template_does_not_accept_is_not_answered()
    {
        WriteTokensFile(new { eos_token = "<|verdicts|>", chat_template = "{{ raise_exception('System role not supported') }}" });
        await using var guard = Guard.Load(Export().Folder, Engine);
        var error = await Assert.ThrowsAsync<TemplateException>(() => AnswerAsync(guard, Conversation.OfPrompt("Hi"), maxTokens: 1));
        Assert.True(error.IsRaisedByTemplate);
    }

    [Fact]
    public async Task What_the_template_adds_counts_towards_the_limit()
    {
        WriteTokensFile(new { chat_template = "{{ 'x' * 300 }}" });
        await using var guard = Guard.Load(Export().Folder, Engine);
        var error = await Assert.ThrowsAsync<PromptTooLongException>(() => AnswerAsync(guard, Conversation.OfPrompt("Hi"), maxTokens: 1));
        Assert.Equal(300, error.Tokens);
    }

    [Fact]
    public void A_bundle_carries_the_template_in_files_of_its_own_and_fixes_both()
    {
        WriteTokensFile(new { bos_token = new { content = "<|system|>" }, eos_token = "<|end|>", model_max_length = 10, chat_template = Template });
        var bundle = Export();
        Assert.Equal(Template, bundle.ChatTemplate!.Source);
        Assert.Equal([("bos_token", "<|system|>"), ("eos_token", "<|end|>")], bundle.ChatTemplate.Tokens.Select(t => (t.Key, t.Value)));
        Assert.DoesNotContain("model_max_length", File.ReadAllText(_folder["bundle/tokenizer_config.json"]), StringComparison.Ordinal);
        Assert.All([BundleManifest.ChatTemplateFile, BundleManifest.ChatTokensFile], f => Assert.Contains(f, bundle.Manifest.Files.Keys));

        File.AppendAllText(_folder["bundle/chat_template.jinja"], "!");
        Assert.Throws<InvalidDataException>(() => ModelBundle.Load(bundle.Folder));
    }

    [Fact]
    public void A_model_that_only_judges_needs_no_template()
    {
        WriteTokensFile(new { chat_template = "{% unknown %}" });
        Assert.Null(Export(canAnswer: false).ChatTemplate);
        Assert.False(File.Exists(_folder["bundle/tokenizer_config.json"]));
    }

    [Theory]
    [InlineData("{% unknown %}", "<|end|>", "the tag 'unknown' is not supported here")]
    [InlineData("x", "</s>", "which is no special token")]
    public void A_template_that_cannot_be_used_is_refused_when_it_is_exported(string template, string end, string expected)
    {
        WriteTokensFile(new { eos_token = end, chat_template = template });
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => Export()).Message, StringComparison.Ordinal);
    }

    private static async Task<ModelAnswer> AnswerAsync(Guard guard, Conversation conversation, int maxTokens)
    {
        var judgment = await guard.AssessAsync(conversation, TraceLevel.Brief, cancellation: TestContext.Current.CancellationToken);
        var allowed = judgment with { Trace = judgment.Trace with { Path = new PathStage(Decision.Answer, null) } };
        return await guard.AnswerAsync(conversation, allowed, new AnswerOptions(maxTokens), cancellation: TestContext.Current.CancellationToken);
    }

    private static IEnumerable<int> Encode(ModelBundle bundle, string text)
    {
        var spans = new List<Reasoning.Tokens.TokenSpan>();
        bundle.Tokenizer.Encode(text, spans);
        return spans.Select(s => s.Id);
    }

    private void WriteTokensFile(object content) =>
        File.WriteAllText(_folder["checkpoint/tokenizer_config.json"], JsonSerializer.Serialize(content));

    private ModelBundle Export(bool canAnswer = true) =>
        BundleWriter.Write(_checkpoint, WeightFormat.Fp32, new BundleTraits("tiny", CanAnswer: canAnswer), _folder["bundle"], TimeProvider.System);
}
