using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace SaferGuard.Api.Tests.OpenAI;

/// <summary>The wire of the OpenAI surface. What the clients of others make of it is in <see cref="OpenAIClientTests"/> and <see cref="NodeClientTests"/>.</summary>
public sealed class ChatTests(AnsweringService service) : IClassFixture<AnsweringService>
{
    /// <summary>What is wrong, the body's fields behind <c>model</c>, and the fields that the error must name.</summary>
    public static TheoryData<string, string, string[]> Bad { get; } = new()
    {
        { "no messages", "", ["messages"] },
        { "messages as text", "\"messages\": \"Hello\"", ["messages"] },
        { "no message", "\"messages\": []", ["messages"] },
        { "only empty messages", Messages("""{"role": "user", "content": [{"type": "text", "text": " "}]}"""), ["messages"] },
        { "an unknown role", Messages("""{"role": "robot", "content": "a"}"""), ["messages[0].role"] },
        { "no role", Messages("""{"content": "a"}"""), ["messages[0].role"] },
        { "no content", Messages("""{"role": "user"}"""), ["messages[0].content"] },
        { "null as content", Messages("""{"role": "user", "content": null}"""), ["messages[0].content"] },
        { "a number as content", Messages("""{"role": "user", "content": 1}"""), ["messages[0].content"] },
        { "a part as text", Messages("""{"role": "user", "content": ["a"]}"""), ["messages[0].content[0]"] },
        { "an image", Messages("""{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}"""), ["messages[0].content[0].type"] },
        { "a part without text", Messages("""{"role": "user", "content": [{"type": "text"}]}"""), ["messages[0].content[0].text"] },
        { "NUL in a part", Messages("""{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "\u0000"}]}"""), ["messages[0].content[1].text"] },
        { "half a surrogate pair", Messages("""{"role": "user", "content": "\ud800"}"""), ["messages[0].content"] },
        { "a call of a tool", Messages("""{"role": "assistant", "content": "a", "tool_calls": [{"id": "1", "function": {"name": "x", "arguments": "{}"}}]}"""), ["messages[0].tool_calls"] },
        { "an unknown parameter", Hello + ", \"top_k\": 5", ["top_k"] },
        { "two choices", Hello + ", \"n\": 2", ["n"] },
        { "tools", Hello + ", \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"x\", \"parameters\": {\"a\": {\"b\": {\"c\": {\"d\": {}}}}}}}]", ["tools"] },
        { "a forced tool", Hello + ", \"tool_choice\": \"required\"", ["tool_choice"] },
        { "log probabilities", Hello + ", \"logprobs\": true, \"top_logprobs\": 3", ["logprobs", "top_logprobs"] },
        { "a schema", Hello + ", \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {}}", ["response_format"] },
        { "stop words", Hello + ", \"stop\": [\"x\"]", ["stop"] },
        { "biases", Hello + ", \"logit_bias\": {\"1\": 100}", ["logit_bias"] },
        { "sound", Hello + ", \"modalities\": [\"text\", \"audio\"], \"audio\": {\"voice\": \"x\"}", ["modalities", "audio"] },
        { "a temperature out of range", Hello + ", \"temperature\": 3, \"max_tokens\": 0, \"seed\": -1", ["max_tokens", "temperature", "seed"] },
        { "an unknown option of ours", Hello + ", \"saferguard\": {\"decision\": \"answer\", \"trace\": \"none\"}", ["saferguard.decision", "saferguard.trace"] },
        { "an option as text", Hello + ", \"stream_options\": \"include_usage\"", ["stream_options"] },
    };

    private const string Hello = """ "messages": [{"role": "user", "content": "Hello"}]""";

    [Fact]
    public async Task A_refusal_is_an_answer_that_was_filtered_and_has_the_verdict()
    {
        var json = (await ChatAsync(Prompts.Harmful)).Json;

        Assert.Equal(["id", "object", "created", "model", "choices", "usage", "saferguard"], Names(json));
        Assert.Equal(("chat.completion", "some-model"), (json.GetProperty("object").GetString(), json.GetProperty("model").GetString()));
        var choice = json.GetProperty("choices").EnumerateArray().Single();
        Assert.Equal("content_filter", choice.GetProperty("finish_reason").GetString());
        Assert.StartsWith("I can't help with this.", choice.GetProperty("message").GetProperty("content").GetString());
        Assert.Equal("assistant", choice.GetProperty("message").GetProperty("role").GetString());

        var verdict = json.GetProperty("saferguard");
        var trace = (await service.GetAsync($"/v1/traces/{verdict.GetProperty("trace_id").GetString()}")).Json;
        Assert.Equal(("refuse", "refuse"), (verdict.GetProperty("decision").GetString(), trace.GetProperty("decision").GetString()));
        Assert.Equal(trace.GetProperty("scores").GetRawText(), verdict.GetProperty("scores").GetRawText());
        var violated = trace.GetProperty("trace").GetProperty("rule_check").EnumerateArray().Where(check => check.GetProperty("verdict").GetString() == "violated");
        Assert.Equal(
            violated.Select(check => (check.GetProperty("rule").GetString(), check.GetProperty("evidence").GetRawText())),
            verdict.GetProperty("rules").EnumerateArray().Select(rule => (rule.GetProperty("rule").GetString(), rule.GetProperty("evidence").GetRawText())));
        Assert.Equal(trace.GetProperty("output").GetProperty("text").GetString(), choice.GetProperty("message").GetProperty("content").GetString());
    }

    [Fact]
    public async Task Usage_counts_the_trace_as_reasoning()
    {
        var json = (await ChatAsync(Prompts.Harmless, ", \"max_tokens\": 5")).Json;

        var usage = json.GetProperty("usage");
        var trace = (await service.GetAsync($"/v1/traces/{json.GetProperty("saferguard").GetProperty("trace_id").GetString()}")).Json;
        var (prompt, completion) = (usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32());
        var reasoning = usage.GetProperty("completion_tokens_details").GetProperty("reasoning_tokens").GetInt32();
        Assert.Equal(trace.GetProperty("usage").GetProperty("input_tokens").GetInt32(), prompt);
        Assert.Equal(trace.GetProperty("usage").GetProperty("trace_tokens").GetInt32(), reasoning);
        Assert.Equal(prompt + completion, usage.GetProperty("total_tokens").GetInt32());
        Assert.InRange(completion - reasoning, 1, 5);
    }

    [Theory]
    [InlineData("")]
    [InlineData(", \"stream_options\": {\"include_usage\": false}")]
    [InlineData(", \"stream_options\": {\"include_usage\": true}")]
    public async Task A_stream_is_a_role_pieces_a_reason_and_usage_where_it_was_asked_for(string options)
    {
        var chunks = await StreamAsync(Prompts.Harmful, options);

        Assert.Single(chunks.Select(chunk => chunk.GetProperty("id").GetString()).Distinct());
        Assert.Equal("assistant", Delta(chunks[0]).GetProperty("role").GetString());
        var withUsage = options.Contains("true", StringComparison.Ordinal);
        Assert.Equal(withUsage, chunks[^1].GetProperty("usage").ValueKind == JsonValueKind.Object);
        if (withUsage) Assert.Equal(0, chunks[^1].GetProperty("choices").GetArrayLength());
        var last = chunks[withUsage ? ^2 : ^1];
        Assert.Equal("content_filter", last.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal("refuse", last.GetProperty("saferguard").GetProperty("decision").GetString());
        var text = string.Concat(chunks.SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray())
            .Select(choice => choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : ""));
        Assert.StartsWith("I can't help with this.", text);
    }

    [Fact]
    public async Task The_pieces_of_a_stream_add_up_to_the_stored_answer()
    {
        var chunks = await StreamAsync(Prompts.Harmless, ", \"max_completion_tokens\": 16, \"temperature\": 2, \"seed\": 3");

        var text = string.Concat(chunks.Select(chunk => Delta(chunk).TryGetProperty("content", out var content) ? content.GetString() : ""));
        var trace = (await service.GetAsync($"/v1/traces/{chunks[^1].GetProperty("saferguard").GetProperty("trace_id").GetString()}")).Json;
        Assert.Equal(trace.GetProperty("output").GetProperty("text").GetString(), text);
        Assert.Contains(chunks[^1].GetProperty("choices")[0].GetProperty("finish_reason").GetString(), (string[])["stop", "length"]);
    }

    [Fact]
    public async Task Content_in_parts_and_the_role_developer_are_judged_as_text_and_system()
    {
        var parts = await PostAsync("""
            {"model": "m", "max_tokens": 1, "messages": [{"role": "developer", "content": [{"type": "text", "text": "You help"}, {"type": "text", "text": "customers."}]},
                {"role": "user", "content": "Which tea?", "name": "me"}, {"role": "assistant", "content": null, "refusal": "No."},
                {"role": "tool", "content": "green", "tool_call_id": "1"}]}
            """);
        var plain = await service.AssessAsync("""
            {"messages": [{"role": "system", "content": "You help\ncustomers."}, {"role": "user", "content": "Which tea?"}, {"role": "assistant", "content": "No."},
                {"role": "tool", "content": "green"}]}
            """);

        Assert.Equal(plain.Json.GetProperty("scores").GetRawText(), parts.Json.GetProperty("saferguard").GetProperty("scores").GetRawText());
    }

    [Fact]
    public async Task Parameters_that_promise_nothing_about_an_answer_are_ignored()
    {
        var reply = await ChatAsync(Prompts.Harmful, """
            , "top_p": 0.1, "frequency_penalty": 1, "presence_penalty": -1, "reasoning_effort": "low", "verbosity": "low", "parallel_tool_calls": true, "user": "u",
            "safety_identifier": "s", "prompt_cache_key": "k", "metadata": {"a": "b"}, "store": false, "service_tier": "auto", "n": 1, "stop": null, "tools": [],
            "tool_choice": "auto", "logprobs": false, "top_logprobs": 0, "logit_bias": {}, "response_format": {"type": "text"}, "modalities": ["text"], "audio": null,
            "stream": null, "temperature": null, "seed": null, "saferguard": {"trace": "brief", "operating_point": "balanced"}
            """);

        Assert.Equal(200, reply.Status);
        Assert.Equal(JsonValueKind.Null, reply.Json.GetProperty("saferguard").GetProperty("strategy").ValueKind);
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_request_gets_an_error_of_OpenAIs_shape_that_names_each_field(string what, string fields, string[] named)
    {
        var stored = await service.CountStoredAsync();

        var reply = await PostAsync($$"""{"model": "m"{{(fields.Length > 0 ? "," : "")}}{{fields}}}""");

        Assert.True((400, "application/json") == (reply.Status, reply.ContentType), what);
        var error = reply.Json.GetProperty("error");
        Assert.Equal(["message", "type", "param", "code", "saferguard"], Names(error));
        Assert.Equal(("invalid_request_error", "invalid_request", named[0]), (error.GetProperty("type").GetString(), error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        Assert.Equal(named, error.GetProperty("saferguard").GetProperty("errors").EnumerateArray().Select(item => item.GetProperty("field").GetString()));
        Assert.Equal("urn:saferguard:problem:invalid-request", error.GetProperty("saferguard").GetProperty("type").GetString());
        Assert.Equal([error.GetProperty("saferguard").GetProperty("traceId").GetString()], reply.Headers.GetValues("x-request-id"));
        Assert.Equal(stored, await service.CountStoredAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"model": "", "messages": [{"role": "user", "content": "Hello"}]}""")]
    [InlineData("""{"messages": [{"role": "user", "content": "Hello"}]}""")]
    [InlineData("""{"model": 1, "messages": [{"role": "user", "content": "Hello"}]}""")]
    public async Task A_body_without_a_model_is_not_taken(string body)
    {
        var reply = await PostAsync(body);

        Assert.Equal((400, "invalid_request_error"), (reply.Status, reply.Json.GetProperty("error").GetProperty("type").GetString()));
    }

    [Theory]
    [InlineData("/v1/chat/completions")]
    [InlineData("/v1/moderations")]
    public async Task Every_error_has_OpenAIs_shape(string path)
    {
        var type = await service.PostAsync(path, "x"u8.ToArray(), "text/plain");
        var size = await service.PostAsync(path, new byte[2_000_000]);
        var text = string.Join(' ', Enumerable.Repeat("word", 100_000));
        var tooLong = await service.PostAsync(path, Encoding.UTF8.GetBytes($$"""{"model": "m", "{{(path.EndsWith('s') && path.Contains("mod", StringComparison.Ordinal) ? "input" : "x")}}": "{{text}}"}"""));
        if (path.Contains("chat", StringComparison.Ordinal)) tooLong = await ChatAsync(text);

        Assert.Equal((415, "unsupported_media_type"), (type.Status, Code(type)));
        Assert.Equal((413, "body_too_large"), (size.Status, Code(size)));
        Assert.Equal((413, "context_length_exceeded"), (tooLong.Status, Code(tooLong)));

        static string? Code(Reply reply) => reply.Json.GetProperty("error").GetProperty("code").GetString();
    }

    [Theory]
    [InlineData("")]
    [InlineData(", \"stream\": true")]
    public async Task A_guard_without_a_model_that_answers_says_so_and_what_it_judged(string stream)
    {
        await using var judging = new Service();
        await judging.InitializeAsync();

        var reply = await judging.PostAsync("/v1/chat/completions", Encoding.UTF8.GetBytes(Chat(Prompts.Harmless, stream)));

        Assert.Equal(501, reply.Status);
        var error = reply.Json.GetProperty("error");
        Assert.Equal("no_answer_source", error.GetProperty("code").GetString());
        Assert.Equal("answer", error.GetProperty("saferguard").GetProperty("verdict").GetProperty("decision").GetString());
        Assert.Equal(["false"], reply.Headers.GetValues("x-should-retry"));
        Assert.Equal(200, (await judging.GetAsync($"/v1/traces/{error.GetProperty("saferguard").GetProperty("verdict").GetProperty("trace_id").GetString()}")).Status);
    }

    [Fact]
    public async Task A_model_that_is_not_there_is_not_found()
    {
        var list = (await service.GetAsync("/v1/models")).Json.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()).ToList();
        var found = await service.GetAsync("/v1/models/safer-nano");
        var lost = await service.GetAsync("/v1/models/org%2Fother");

        Assert.Contains("safer-nano", list);
        Assert.Equal((200, "model"), (found.Status, found.Json.GetProperty("object").GetString()));
        Assert.Equal((404, "model_not_found"), (lost.Status, lost.Json.GetProperty("error").GetProperty("code").GetString()));
    }

    private static string Messages(string message) => $"\"messages\": [{message}]";

    private static string Chat(string prompt, string fields) =>
        $$"""{"model": "some-model", "messages": [{"role": "user", "content": "{{prompt}}"}]{{fields}}}""";

    private static IEnumerable<string> Names(JsonElement json) => json.EnumerateObject().Select(property => property.Name);

    private static JsonElement Delta(JsonElement chunk) => chunk.GetProperty("choices")[0].GetProperty("delta");

    private Task<Reply> ChatAsync(string prompt, string fields = "") => PostAsync(Chat(prompt, fields));

    private Task<Reply> PostAsync(string json) => service.PostAsync("/v1/chat/completions", Encoding.UTF8.GetBytes(json));

    private async Task<List<JsonElement>> StreamAsync(string prompt, string fields)
    {
        var reply = await ChatAsync(prompt, ", \"stream\": true" + fields);
        Assert.Equal((200, "text/event-stream"), (reply.Status, reply.ContentType));
        var events = await SseParser.Create(new MemoryStream(reply.Body)).EnumerateAsync().ToListAsync();
        Assert.Equal("[DONE]", events[^1].Data);
        return [.. events.SkipLast(1).Select(item => JsonSerializer.Deserialize<JsonElement>(item.Data))];
    }
}
