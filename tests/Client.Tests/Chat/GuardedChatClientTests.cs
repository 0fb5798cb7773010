using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Api.Tests;
using SaferGuard.Client.Chat;

namespace SaferGuard.Client.Tests.Chat;

/// <summary>A guarded chat with the real service.</summary>
public sealed class GuardedChatClientTests(Service service) : IClassFixture<Service>
{
    private const string Careful = "My chest hurts and my left arm is numb, what should I do?";

    private SaferGuardClient Guard => new(service.Client);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_refused_never_reaches_the_model(bool stream)
    {
        var model = new ScriptedModel("Sure");

        var response = await AskAsync(model, Prompts.Harmful, stream);

        Assert.Empty(model.Asked);
        Assert.Equal(ChatFinishReason.ContentFilter, response.FinishReason);
        Assert.StartsWith("I can't help with this. It goes against: S5.2", response.Text);
        Assert.Equal("refuse", Property(response, SaferGuardProperties.Decision));
        var stored = await Guard.FindTraceAsync((string)Property(response, SaferGuardProperties.TraceId)!, Cancellation);
        Assert.Equal(stored!.Violations.Select(violation => violation.Rule), Property(response, SaferGuardProperties.Rules));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_harmless_is_answered_by_the_model(bool stream)
    {
        var model = new ScriptedModel("Green", " tea", ".");

        var response = await AskAsync(model, Prompts.Harmless, stream);

        Assert.Equal(("Green tea.", ChatFinishReason.Stop, "r1"), (response.Text, response.FinishReason, response.ResponseId));
        Assert.Equal("answer", Property(response, SaferGuardProperties.Decision));
        Assert.NotNull(await Guard.FindTraceAsync((string)Property(response, SaferGuardProperties.TraceId)!, Cancellation));
        Assert.Equal(Prompts.Harmless, Assert.Single(Assert.Single(model.Asked)).Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_needs_care_reaches_the_model_with_the_strategy(bool stream)
    {
        var model = new ScriptedModel("Call a doctor.");
        ChatMessage[] messages = [new(ChatRole.System, "You are kind."), new(ChatRole.User, Careful)];

        var response = await AskAsync(model, messages, stream);

        var stored = await Guard.FindTraceAsync((string)Property(response, SaferGuardProperties.TraceId)!, Cancellation);
        Assert.Equal(Decision.Care, stored!.Decision);
        Assert.Equal(["You are kind.", $"Answer with care: {stored.Trace!.Path.Strategy}", Careful], Assert.Single(model.Asked).Select(message => message.Text));
        Assert.Equal(ChatRole.System, model.Asked[0][1].Role);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_that_is_refused_is_not_handed_on(bool stream)
    {
        var model = new ScriptedModel([.. Enumerable.Repeat($"{Prompts.Harmful}. ", 20)]);
        var options = new GuardedChatOptions { JudgeResponses = true, WindowCharacters = 200 };

        var response = await AskAsync(model, Prompts.Harmless, stream, options);

        Assert.Equal(ChatFinishReason.ContentFilter, response.FinishReason);
        Assert.DoesNotContain("ransomware", response.Text);
        Assert.NotNull(Property(response, SaferGuardProperties.ResponseTraceId));
        if (stream) Assert.InRange(model.Streamed, 1, 4);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_that_is_allowed_is_handed_on_whole(bool stream)
    {
        string[] words = [.. Enumerable.Range(0, 40).Select(i => $"Tea number {i} is green. ")];
        var options = new GuardedChatOptions { JudgeResponses = true, WindowCharacters = 200 };

        var response = await AskAsync(new ScriptedModel(words), Prompts.Harmless, stream, options);

        Assert.Equal((string.Concat(words), ChatFinishReason.Stop), (response.Text, response.FinishReason));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_guard_that_is_gone_closes_the_chat(bool stream)
    {
        var model = new ScriptedModel("Sure");
        using var gone = new SaferGuardClient(new Uri("http://127.0.0.1:9"), new() { MaxRetries = 0 });

        await Assert.ThrowsAsync<SaferGuardUnavailableException>(() => AskAsync(model, Prompts.Harmless, stream, null, gone));

        Assert.Empty(model.Asked);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_guard_that_is_gone_may_be_passed_over_but_not_silently(bool stream)
    {
        var model = new ScriptedModel("Sure");
        using var gone = new SaferGuardClient(new Uri("http://127.0.0.1:9"), new() { MaxRetries = 0 });

        var response = await AskAsync(model, Prompts.Harmless, stream, new() { OnFailure = OnFailure.Open }, gone);

        Assert.Equal("Sure", response.Text);
        Assert.Contains("cannot be reached", (string)Property(response, SaferGuardProperties.Unjudged)!);
        Assert.Null(Property(response, SaferGuardProperties.TraceId));
    }

    [Fact]
    public async Task What_cannot_be_judged_is_not_passed_on_silently()
    {
        var model = new ScriptedModel("A cat");
        ChatMessage[] messages = [new(ChatRole.User, [new TextContent("What is this?"), new DataContent(new byte[] { 1 }, "image/png")])];

        var fault = await Assert.ThrowsAsync<NotSupportedException>(() => AskAsync(model, messages, false));
        var response = await AskAsync(model, messages, false, new() { OnFailure = OnFailure.Open });

        Assert.Contains("DataContent", fault.Message);
        Assert.Contains("DataContent", (string)Property(response, SaferGuardProperties.Unjudged)!);
        Assert.NotNull(Property(response, SaferGuardProperties.TraceId));
    }

    [Fact]
    public async Task An_application_gets_its_guard_from_its_services()
    {
        var services = new ServiceCollection().AddSaferGuard(service.Client.BaseAddress!);
        services.AddChatClient(new ScriptedModel("Sure")).UseSaferGuard();
        await using var provider = services.BuildServiceProvider();

        var response = await provider.GetRequiredService<IChatClient>().GetResponseAsync(Prompts.Harmful, cancellationToken: Cancellation);

        Assert.Equal(ChatFinishReason.ContentFilter, response.FinishReason);
    }

    private Task<ChatResponse> AskAsync(IChatClient model, string prompt, bool stream, GuardedChatOptions? options = null, ISaferGuardClient? guard = null) =>
        AskAsync(model, [new ChatMessage(ChatRole.User, prompt)], stream, options, guard);

    private async Task<ChatResponse> AskAsync(
        IChatClient model, IEnumerable<ChatMessage> messages, bool stream, GuardedChatOptions? options = null, ISaferGuardClient? guard = null)
    {
        var chat = model.AsBuilder().UseSaferGuard(guard ?? Guard, options).Build();
        return stream
            ? await chat.GetStreamingResponseAsync(messages, cancellationToken: Cancellation).ToChatResponseAsync(Cancellation)
            : await chat.GetResponseAsync(messages, cancellationToken: Cancellation);
    }

    private static object? Property(ChatResponse response, string name) => response.AdditionalProperties?.GetValueOrDefault(name);
}
