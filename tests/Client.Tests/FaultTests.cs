using System.Diagnostics;

namespace SaferGuard.Client.Tests;

/// <summary>The client against a service that is busy, broken or gone.</summary>
public sealed class FaultTests
{
    private static readonly SaferGuardClientOptions s_once = new() { MaxRetries = 0 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_busy_service_is_tried_again_when_it_says_so_as_the_same_request()
    {
        await using var service = await FaultyService.StartAsync(
            FaultyService.Problem(503, "unavailable", "1"), FaultyService.Problem(429, "rate-limited", "0"), FaultyService.Problem(409, "in-flight", "0"),
            FaultyService.Json(FaultyService.Completion));
        using var client = new SaferGuardClient(service.Address, new() { ApiKey = "sg_a_key", MaxRetries = 4 });

        var started = Stopwatch.GetTimestamp();
        var answered = await client.CompleteAsync("Hello", Cancellation);

        Assert.Equal(Decision.Answer, answered.Decision);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 1, 10);
        Assert.Equal(4, service.Requests.Count);
        Assert.Single(service.Requests.Select(request => request.Headers["Idempotency-Key"].ToString()).Distinct(), key => key.Length > 0);
        Assert.All(service.Requests, request => Assert.Equal("Bearer sg_a_key", request.Headers.Authorization));
    }

    [Fact]
    public async Task A_pause_that_is_too_long_is_left_to_the_caller()
    {
        await using var service = await FaultyService.StartAsync(FaultyService.Problem(429, "rate-limited", "3600"));
        using var client = new SaferGuardClient(service.Address);

        var fault = await Assert.ThrowsAsync<SaferGuardRateLimitException>(() => client.AssessAsync("Hello", Cancellation));

        Assert.Equal((TimeSpan.FromHours(1), "0af7"), (fault.RetryAfter, fault.TraceId));
        Assert.Single(service.Requests);
    }

    [Fact]
    public async Task A_service_that_stays_busy_is_given_up_with_its_own_words()
    {
        await using var service = await FaultyService.StartAsync(FaultyService.Problem(503, "unavailable", "0"));
        using var client = new SaferGuardClient(service.Address, new() { MaxRetries = 2 });

        var fault = await Assert.ThrowsAsync<SaferGuardUnavailableException>(() => client.CompleteAsync("Hello", Cancellation));

        Assert.Equal("A title: A detail.", fault.Message);
        Assert.Equal(3, service.Requests.Count);
    }

    [Theory]
    [InlineData(400, typeof(SaferGuardRequestException))]
    [InlineData(401, typeof(SaferGuardAccessException))]
    [InlineData(403, typeof(SaferGuardAccessException))]
    [InlineData(409, typeof(SaferGuardRequestException))]
    [InlineData(413, typeof(SaferGuardRequestException))]
    [InlineData(422, typeof(SaferGuardRequestException))]
    [InlineData(500, typeof(SaferGuardUnavailableException))]
    public async Task What_cannot_pass_is_not_tried_again(int status, Type type)
    {
        await using var service = await FaultyService.StartAsync(FaultyService.Problem(status, "some-kind"));
        using var client = new SaferGuardClient(service.Address);

        var fault = await Record.ExceptionAsync(() => client.AssessAsync("Hello", Cancellation));

        Assert.IsType(type, fault);
        Assert.Equal(status, ((SaferGuardException)fault).Problem!.Status);
        Assert.Single(service.Requests);
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_unavailable()
    {
        var service = await FaultyService.StartAsync(FaultyService.Json("{}"));
        var address = service.Address;
        await service.DisposeAsync();
        using var client = new SaferGuardClient(address, s_once);

        await Assert.ThrowsAsync<SaferGuardUnavailableException>(() => client.AssessAsync("Hello", Cancellation));
    }

    [Fact]
    public async Task A_service_that_does_not_answer_is_unavailable()
    {
        await using var service = await FaultyService.StartAsync(http => Task.Delay(TimeSpan.FromSeconds(30), http.RequestAborted));
        using var client = new SaferGuardClient(service.Address, new() { MaxRetries = 0, Timeout = TimeSpan.FromMilliseconds(200) });

        var fault = await Assert.ThrowsAsync<SaferGuardUnavailableException>(() => client.AssessAsync("Hello", Cancellation));

        Assert.Contains("0.2 s", fault.Message);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("<html>")]
    public async Task What_cannot_be_read_is_never_taken_for_a_verdict(string body)
    {
        await using var service = await FaultyService.StartAsync(FaultyService.Json(body));
        using var client = new SaferGuardClient(service.Address, s_once);

        await Assert.ThrowsAsync<SaferGuardException>(() => client.AssessAsync("Hello", Cancellation));
    }

    [Theory]
    [InlineData("maybe")]
    [InlineData("0")]
    [InlineData("")]
    public async Task A_decision_that_the_client_does_not_know_is_an_error(string decision)
    {
        await using var service = await FaultyService.StartAsync(
            FaultyService.Json(FaultyService.Judgment.Replace("\"answer\"", $"\"{decision}\"", StringComparison.Ordinal)));
        using var client = new SaferGuardClient(service.Address, s_once);

        var fault = await Assert.ThrowsAsync<SaferGuardException>(() => client.AssessAsync("Hello", Cancellation));

        Assert.Contains("$.decision", fault.Message);
    }

    [Fact]
    public async Task A_stream_that_breaks_off_never_looks_whole()
    {
        const string Begun = "event: output\ndata: {\"text\": \"Once\"}\n\n";
        const string Strange = "event: of_tomorrow\ndata: {}\n\n";
        const string Failed = "event: error\ndata: {\"type\": \"urn:saferguard:problem:timed-out\", \"title\": \"T\", \"status\": 504, \"detail\": \"D.\", \"traceId\": \"0af7\"}\n\n";
        await using var service = await FaultyService.StartAsync(
            FaultyService.Stream(Begun, drop: true), FaultyService.Stream(Begun + Strange), FaultyService.Stream(Begun + Failed), FaultyService.Stream(""));
        using var client = new SaferGuardClient(service.Address, s_once);

        var faults = new List<SaferGuardUnavailableException>();
        var texts = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            faults.Add(await Assert.ThrowsAsync<SaferGuardUnavailableException>(async () =>
            {
                await foreach (var update in client.StreamAsync("Hello", Cancellation)) texts.Add(Assert.IsType<CompletionUpdate.Wrote>(update).Text);
            }));
        }

        // What a connection carried last may be lost with it.
        Assert.InRange(texts.Count, 2, 3);
        Assert.Equal("urn:saferguard:problem:timed-out", faults[2].Problem?.Type);
    }

    [Fact]
    public async Task An_answer_that_is_refused_on_its_way_is_told_apart()
    {
        const string Events = """
            event: output
            data: {"text": "Once"}

            event: error
            data: {"type": "urn:saferguard:problem:output-withheld", "title": "T", "status": 422, "detail": "D.", "traceId": "0af7"}


            """;
        await using var service = await FaultyService.StartAsync(FaultyService.Stream(Events));
        using var client = new SaferGuardClient(service.Address, s_once);

        await Assert.ThrowsAsync<SaferGuardWithheldException>(async () => await client.StreamAsync("Hello", Cancellation).ToListAsync(Cancellation));
    }

    [Fact]
    public async Task The_callers_trace_goes_on_in_the_service()
    {
        await using var service = await FaultyService.StartAsync(FaultyService.Json(FaultyService.Judgment));
        using var client = new SaferGuardClient(service.Address, s_once);
        using var activity = new Activity("caller").SetIdFormat(ActivityIdFormat.W3C).Start();

        await client.AssessAsync("Hello", Cancellation);

        Assert.Contains(activity.TraceId.ToHexString(), service.Requests[0].Headers.TraceParent.ToString());
    }
}
