using System.ClientModel;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;

namespace SaferGuard.Api.Tests.OpenAI;

/// <summary>The official OpenAI package for .NET, unmodified, with another base address.</summary>
public sealed class OpenAIClientTests(AnsweringService service) : IClassFixture<AnsweringService>
{
    [Fact]
    public async Task A_chat_is_answered()
    {
        var completion = (await Chat().CompleteChatAsync(
            [ChatMessage.CreateSystemMessage("You are brief."), ChatMessage.CreateUserMessage(Prompts.Harmless)],
            new ChatCompletionOptions { MaxOutputTokenCount = 8, Temperature = 0 },
            TestContext.Current.CancellationToken)).Value;

        Assert.Contains(completion.FinishReason, (ChatFinishReason[])[ChatFinishReason.Stop, ChatFinishReason.Length]);
        Assert.Equal(("my-model", ChatMessageRole.Assistant), (completion.Model, completion.Role));
        Assert.Equal(completion.Usage.TotalTokenCount, completion.Usage.InputTokenCount + completion.Usage.OutputTokenCount);
        Assert.InRange(completion.Usage.OutputTokenDetails.ReasoningTokenCount, 1, completion.Usage.OutputTokenCount);
        Assert.InRange(completion.CreatedAt, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
    }

    [Fact]
    public async Task A_harmful_chat_is_refused()
    {
        var result = await Chat().CompleteChatAsync([ChatMessage.CreateUserMessage(Prompts.Harmful)], cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(ChatFinishReason.ContentFilter, result.Value.FinishReason);
        Assert.StartsWith("I can't help with this.", result.Value.Content[0].Text);
        var verdict = JsonDocument.Parse(result.GetRawResponse().Content).RootElement.GetProperty("saferguard");
        Assert.Equal("refuse", verdict.GetProperty("decision").GetString());
    }

    [Theory]
    [InlineData(Prompts.Harmless)]
    [InlineData(Prompts.Harmful)]
    public async Task A_stream_is_read_to_its_reason_and_usage(string prompt)
    {
        var updates = await Chat().CompleteChatStreamingAsync(
            [ChatMessage.CreateUserMessage(ChatMessageContentPart.CreateTextPart(prompt))], new ChatCompletionOptions { MaxOutputTokenCount = 16 },
            TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

        var reason = Assert.Single(updates, update => update.FinishReason is not null).FinishReason;
        var text = string.Concat(updates.SelectMany(update => update.ContentUpdate).Select(part => part.Text));
        if (prompt == Prompts.Harmful) Assert.Equal((ChatFinishReason.ContentFilter, true), (reason, text.StartsWith("I can't help with this.", StringComparison.Ordinal)));
        else Assert.NotEqual(ChatFinishReason.ContentFilter, reason);
        Assert.NotNull(Assert.Single(updates, update => update.Usage is not null).Usage);
    }

    /// <summary>This client does not look for errors in chunks: what it gets then has no reason to end, so that it does not look finished.</summary>
    [Fact]
    public async Task A_stream_that_fails_never_looks_finished()
    {
        await using var broken = new AnsweringService { Settings = { ["Access:KeyCacheTime"] = "00:05:00" } };
        await broken.InitializeAsync();
        broken.LoseStore();

        var updates = await Chat(broken).CompleteChatStreamingAsync(
            [ChatMessage.CreateUserMessage(Prompts.Harmless)], new ChatCompletionOptions { MaxOutputTokenCount = 8 }, TestContext.Current.CancellationToken)
            .ToListAsync(TestContext.Current.CancellationToken);

        Assert.NotEmpty(updates.SelectMany(update => update.ContentUpdate));
        Assert.DoesNotContain(updates, update => update.FinishReason is not null);
    }

    [Fact]
    public async Task An_error_is_thrown_with_its_status_and_words()
    {
        var fault = await Assert.ThrowsAsync<ClientResultException>(() => Chat().CompleteChatAsync(
            [ChatMessage.CreateUserMessage(ChatMessageContentPart.CreateImagePart(new Uri("https://example.org/a.png")))], cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(400, fault.Status);
        Assert.Contains("messages[0].content[0].type must be text", fault.Message);
        Assert.Contains("invalid_request_error", fault.Message);
    }

    [Fact]
    public async Task A_tool_is_refused_clearly()
    {
        var options = new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("weather", functionParameters: BinaryData.FromString("""{"type": "object"}""")) } };

        var fault = await Assert.ThrowsAsync<ClientResultException>(() => Chat().CompleteChatAsync(
            [ChatMessage.CreateUserMessage("Hello")], options, TestContext.Current.CancellationToken));

        Assert.Contains("tools is not supported", fault.Message);
    }

    [Fact]
    public async Task Moderations_are_read()
    {
        var moderation = Client().GetModerationClient("any");

        var one = (await moderation.ClassifyTextAsync(Prompts.Harmful, TestContext.Current.CancellationToken)).Value;
        var several = (await moderation.ClassifyTextAsync([Prompts.Harmless, Prompts.Harmful], TestContext.Current.CancellationToken)).Value;

        Assert.True(one.Flagged);
        Assert.True(one.Illicit.Flagged);
        Assert.InRange(one.Illicit.Score, 0.5f, 1);
        Assert.False(one.Hate.Flagged);
        Assert.Equal([false, true], several.Select(result => result.Flagged));
    }

    [Fact]
    public async Task Models_are_read()
    {
        var models = Client().GetOpenAIModelClient();

        Assert.Contains((await models.GetModelsAsync(TestContext.Current.CancellationToken)).Value, model => model.Id == "safer-nano");
        Assert.Equal("saferguard", (await models.GetModelAsync("safer-nano", TestContext.Current.CancellationToken)).Value.OwnedBy);
        var fault = await Assert.ThrowsAsync<ClientResultException>(() => models.GetModelAsync("gpt-x", TestContext.Current.CancellationToken));
        Assert.Equal(404, fault.Status);
    }

    private OpenAIClient Client(Service? other = null) =>
        new(new ApiKeyCredential("unused"), new OpenAIClientOptions { Endpoint = new((other ?? service).Address, "/v1") });

    private ChatClient Chat(Service? other = null) => Client(other).GetChatClient("my-model");
}
