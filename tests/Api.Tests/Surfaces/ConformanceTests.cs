using System.Text;
using Microsoft.Extensions.DependencyInjection;
using SaferGuard.Reasoning;

namespace SaferGuard.Api.Tests.Surfaces;

/// <summary>Every surface, streaming or not, against every decision and failure.</summary>
public sealed class ConformanceTests(ITestOutputHelper output)
{
    private const string Careful = "My chest hurts and my left arm is numb, what should I do?";

    /// <summary>What each surface says: <c>answered</c> for any end of an answer, <c>…</c> for a stream that had begun.</summary>
    private const string Expected = """
        answer
          REST assess       200 answer
          REST complete     200 answer answered
          REST stream       200 answer answered
          gRPC Assess       OK answer
          gRPC Complete     OK answer answered
          gRPC stream       OK answer answered
          OpenAI chat       200 answer answered
          OpenAI stream     200 answer answered
          OpenAI moderation 200 answer
        care
          REST assess       200 care
          REST complete     200 care answered
          REST stream       200 care answered
          gRPC Assess       OK care
          gRPC Complete     OK care answered
          gRPC stream       OK care answered
          OpenAI chat       200 care answered
          OpenAI stream     200 care answered
          OpenAI moderation 200 care
        refuse
          REST assess       200 refuse
          REST complete     200 refuse refused
          REST stream       200 refuse refused
          gRPC Assess       OK refuse
          gRPC Complete     OK refuse refused
          gRPC stream       OK refuse refused
          OpenAI chat       200 refuse content_filter
          OpenAI stream     200 refuse content_filter
          OpenAI moderation 200 refuse flagged
        answer, nobody answers
          REST assess       200 answer
          REST complete     200 answer no_answer_source
          REST stream       200 answer no_answer_source
          gRPC Assess       OK answer
          gRPC Complete     OK answer no_answer_source
          gRPC stream       OK answer no_answer_source
          OpenAI chat       501 no_answer_source
          OpenAI stream     501 no_answer_source
          OpenAI moderation 200 answer
        refuse, nobody answers
          REST assess       200 refuse
          REST complete     200 refuse refused
          REST stream       200 refuse refused
          gRPC Assess       OK refuse
          gRPC Complete     OK refuse refused
          gRPC stream       OK refuse refused
          OpenAI chat       200 refuse content_filter
          OpenAI stream     200 refuse content_filter
          OpenAI moderation 200 refuse flagged
        not valid: empty
          REST assess       400 invalid-request
          REST complete     400 invalid-request
          REST stream       400 invalid-request
          gRPC Assess       InvalidArgument INVALID_REQUEST
          gRPC Complete     InvalidArgument INVALID_REQUEST
          gRPC stream       InvalidArgument INVALID_REQUEST
          OpenAI chat       400 invalid_request
          OpenAI stream     400 invalid_request
          OpenAI moderation 400 invalid_request
        not valid: NUL
          REST assess       400 invalid-request
          REST complete     400 invalid-request
          REST stream       400 invalid-request
          gRPC Assess       InvalidArgument INVALID_REQUEST
          gRPC Complete     InvalidArgument INVALID_REQUEST
          gRPC stream       InvalidArgument INVALID_REQUEST
          OpenAI chat       400 invalid_request
          OpenAI stream     400 invalid_request
          OpenAI moderation 400 invalid_request
        too long
          REST assess       413 prompt-too-long
          REST complete     413 prompt-too-long
          REST stream       413 prompt-too-long
          gRPC Assess       InvalidArgument PROMPT_TOO_LONG
          gRPC Complete     InvalidArgument PROMPT_TOO_LONG
          gRPC stream       InvalidArgument PROMPT_TOO_LONG
          OpenAI chat       413 context_length_exceeded
          OpenAI stream     413 context_length_exceeded
          OpenAI moderation 413 context_length_exceeded
        too slow
          REST assess       504 timed-out
          REST complete     504 timed-out
          REST stream       504 timed-out
          gRPC Assess       DeadlineExceeded TIMED_OUT
          gRPC Complete     DeadlineExceeded TIMED_OUT
          gRPC stream       DeadlineExceeded TIMED_OUT
          OpenAI chat       504 timed_out
          OpenAI stream     504 timed_out
          OpenAI moderation 504 timed_out
        engine down
          REST assess       503 unavailable
          REST complete     503 unavailable
          REST stream       503 unavailable
          gRPC Assess       Unavailable UNAVAILABLE
          gRPC Complete     Unavailable UNAVAILABLE
          gRPC stream       Unavailable UNAVAILABLE
          OpenAI chat       503 unavailable
          OpenAI stream     503 unavailable
          OpenAI moderation 503 unavailable
        store down, answer
          REST assess       500 internal
          REST complete     500 internal
          REST stream       200 … internal
          gRPC Assess       Internal INTERNAL
          gRPC Complete     Internal INTERNAL
          gRPC stream       Internal INTERNAL
          OpenAI chat       500 internal
          OpenAI stream     200 … internal
          OpenAI moderation 500 internal
        store down, refuse
          REST assess       500 internal
          REST complete     500 internal
          REST stream       200 … internal
          gRPC Assess       Internal INTERNAL
          gRPC Complete     Internal INTERNAL
          gRPC stream       Internal INTERNAL
          OpenAI chat       500 internal
          OpenAI stream     500 internal
          OpenAI moderation 500 internal
        """;

    [Fact]
    public async Task Every_surface_tells_every_outcome_in_its_own_words()
    {
        await using var answering = await StartAsync(new() { Settings = { ["Model:Path"] = AnsweringModel.Folder } });
        await using var judging = await StartAsync(new());
        await using var impatient = await StartAsync(new() { Settings = { ["Engine:RequestTimeout"] = "00:00:00.001", ["Engine:PrefixCacheTokens"] = "0" }, IsReadyAtStart = false });
        await using var stopped = await StartAsync(new());
        await stopped.Services.GetRequiredService<Guard>().DisposeAsync();
        // What access knows of keys outlasts the test, so that it does not ask the store that is lost.
        await using var lost = await StartAsync(new() { Settings = { ["Model:Path"] = AnsweringModel.Folder, ["Access:KeyCacheTime"] = "00:05:00" } });
        lost.LoseStore();

        var matrix = new StringBuilder();
        await AddAsync("answer", answering, Prompts.Harmless);
        await AddAsync("care", answering, Careful);
        await AddAsync("refuse", answering, Prompts.Harmful);
        await AddAsync("answer, nobody answers", judging, Prompts.Harmless);
        await AddAsync("refuse, nobody answers", judging, Prompts.Harmful);
        await AddAsync("not valid: empty", answering, " ");
        await AddAsync("not valid: NUL", answering, "a\0b");
        await AddAsync("too long", answering, string.Join(' ', Enumerable.Repeat("word", 10_000)));
        await AddAsync("too slow", impatient, string.Join(' ', Enumerable.Repeat("word", 2000)));
        await AddAsync("engine down", stopped, Prompts.Harmless);
        await AddAsync("store down, answer", lost, Prompts.Harmless);
        await AddAsync("store down, refuse", lost, Prompts.Harmful);

        output.WriteLine(matrix.ToString());
        Assert.Equal(Expected.ReplaceLineEndings("\n"), matrix.ToString().TrimEnd());

        async Task AddAsync(string situation, Service service, string prompt)
        {
            matrix.Append(situation).Append('\n');
            foreach (var surface in Surface.All) matrix.Append($"  {surface.Name,-18}{(await surface.AskAsync(service, prompt)).Told}\n");
        }
    }

    private static async Task<Service> StartAsync(Service service)
    {
        await service.InitializeAsync();
        return service;
    }
}
