using SaferGuard.Training.Data;
using SaferGuard.Training.Teacher.Llm;
using SaferGuard.Training.Tests.Sft;
using Spectre.Console;

namespace SaferGuard.Training.Tests.Teacher.Llm;

/// <summary>All of these speak HTTP with a real server.</summary>
public sealed class TeachRunTests : IAsyncLifetime
{
    private static readonly PatienceOptions Quick = new(
        Retries: 3, CallTimeout: TimeSpan.FromSeconds(20), Delay: TimeSpan.FromMilliseconds(5), BreakAfter: 1000, BreakDuration: TimeSpan.FromSeconds(1));

    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _printed = new();
    private TeacherServer _server = null!;

    private string Out => Path.Combine(_folder.Path, "out");

    private string Journal => Path.Combine(Out, TeachJournal.Name);

    private IReadOnlyList<Lesson> Lessons => [.. JsonLines.Read<Lesson>(File.OpenRead(Journal), Journal)];

    private TeachOptions Options => new(Path.Combine(_folder.Path, "data.jsonl"), Out, _server.Address, "wise") { Patience = Quick };

    public async ValueTask InitializeAsync()
    {
        _server = await TeacherServer.StartAsync();
        RowFile.Write(Options.Data, SmallData.Rows);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Every_row_gets_the_teachers_trace_and_keeps_all_else()
    {
        Assert.Equal(0, await RunAsync(Options));

        var rows = RowFile.Read(Path.Combine(Out, RowFile.Name)).ToList();
        Assert.Equal(SmallData.Rows.Select(r => (r.Id, r.Label, r.Weight)), rows.Select(r => (r.Id, r.Label, r.Weight)));
        Assert.All(rows, TestData.AssertConsistent);
        Assert.All(rows, r => Assert.Equal("Asks for something that the teacher has read.", r.Trace.Assessment.Intent));
        Assert.Contains(rows, r => r.Trace.RuleChecks.Any(c => c.Evidence?.Text == "house?"));
        Assert.Equal(16, _server.Calls.Count);
    }

    [Fact]
    public async Task Only_the_rules_of_the_rows_category_and_its_label_are_shown()
    {
        await RunAsync(Options);

        var harmful = _server.Calls.First(c => !c.IsOfJudge && c.Prompt.Contains("cook meth", StringComparison.Ordinal)).Question;
        Assert.All(harmful["rules"]!.AsArray(), rule => Assert.StartsWith("S3.", (string)rule!["rule"]!));
        Assert.NotEmpty(harmful["rules"]!.AsArray());
        Assert.Equal("harmful", (string)harmful["label"]!);
        Assert.Empty(_server.Calls.First(c => c.Prompt.Contains("Norway", StringComparison.Ordinal)).Question["rules"]!.AsArray());
    }

    [Fact]
    public async Task A_malformed_trace_is_sent_back_with_its_errors_and_given_up_after_the_last_attempt()
    {
        _server.Answer = async call =>
        {
            if (!call.Prompt.Contains("Norway", StringComparison.Ordinal)) return false;
            await TeacherServer.ReplyAsync(call, """{"intent": "Asks.", "risk": "huge", "rule_checks": [], "decision": "answer"}""");
            return true;
        };

        Assert.Equal(0, await RunAsync(Options));

        var lesson = Assert.Single(Lessons, l => l.Outcome == Outcome.Malformed);
        Assert.Equal(["risk is not one of none, low, medium, high", "strategy is missing"], lesson.Errors);
        Assert.Equal((200, 20), (lesson.InputTokens, lesson.OutputTokens));
        var calls = _server.Calls.Where(c => c.Prompt.Contains("Norway", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, calls.Count);
        Assert.Contains("- strategy is missing", calls.Single(c => c.Body["messages"]!.AsArray().Count == 4).LastMessage, StringComparison.Ordinal);
        Assert.Equal("Asks a plain question.", RowFile.Read(Path.Combine(Out, RowFile.Name)).Single(r => r.Id.Contains("Norway", StringComparison.Ordinal)).Trace.Assessment.Intent);
    }

    [Fact]
    public async Task A_trace_that_the_judge_scores_too_low_is_not_kept_and_other_thresholds_cost_no_call()
    {
        _server.Answer = async call =>
        {
            if (!call.IsOfJudge || !call.Prompt.Contains("Norway", StringComparison.Ordinal)) return false;
            await TeacherServer.ReplyAsync(call, """{"compliance": 10, "relevance": 10, "accuracy": 5}""");
            return true;
        };

        Assert.Equal(0, await RunAsync(Options));
        Assert.Equal(7, Taught());
        var calls = _server.Calls.Count;
        Assert.Equal(0, await RunAsync(Options with { Least = new JudgeScores(8, 8, 5) }));
        Assert.Equal(8, Taught());
        Assert.Equal(calls, _server.Calls.Count);
    }

    [Fact]
    public async Task Scores_that_are_no_scores_leave_the_row_unjudged()
    {
        _server.Answer = async call =>
        {
            if (!call.IsOfJudge) return false;
            await TeacherServer.ReplyAsync(call, """{"compliance": 11, "relevance": 10, "accuracy": "ten"}""");
            return true;
        };

        Assert.Equal(0, await RunAsync(Options with { Limit = 1 }));

        var lesson = Assert.Single(Lessons);
        Assert.Equal(Outcome.Unjudged, lesson.Outcome);
        Assert.Equal(["compliance is not a whole number from 0 to 10", "accuracy is not a whole number from 0 to 10"], lesson.Errors);
    }

    [Fact]
    public async Task Nobody_judges_where_every_threshold_is_zero()
    {
        Assert.Equal(0, await RunAsync(Options with { Least = new JudgeScores(0, 0, 0) }));
        Assert.Equal(8, Taught());
        Assert.DoesNotContain(_server.Calls, c => c.IsOfJudge);
    }

    [Fact]
    public async Task Too_many_requests_are_repeated_after_the_time_that_the_endpoint_asks_for()
    {
        var times = new List<DateTime>();
        _server.Answer = async call =>
        {
            lock (times) times.Add(DateTime.UtcNow);
            if (call.Number > 1) return false;
            await TeacherServer.FailAsync(call, 429, retryAfter: "1");
            return true;
        };

        Assert.Equal(0, await RunAsync(Options with { Limit = 1 }));

        Assert.Equal(3, times.Count);
        Assert.InRange((times[1] - times[0]).TotalSeconds, .95, 10);
        Assert.Single(Lessons, l => l.Outcome == Outcome.Taught);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(408)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(-2)]
    public async Task Passing_faults_are_tried_again(int fault)
    {
        _server.Answer = async call =>
        {
            if (call.Number > 2) return false;
            await BreakAsync(call, fault);
            return true;
        };

        Assert.Equal(0, await RunAsync(Options with { Limit = 1 }));
        Assert.Equal(4, _server.Calls.Count);
        Assert.Single(Lessons, l => l.Outcome == Outcome.Taught);
    }

    [Fact]
    public async Task A_slow_call_is_given_up_and_tried_again()
    {
        _server.Answer = async call =>
        {
            if (call.Number > 1) return false;
            await Task.Delay(TimeSpan.FromSeconds(30), call.Http.RequestAborted);
            return true;
        };

        Assert.Equal(0, await RunAsync(Options with { Limit = 1, Patience = Quick with { CallTimeout = TimeSpan.FromSeconds(1) } }));
        Assert.Equal(3, _server.Calls.Count);
    }

    [Fact]
    public async Task Rows_that_fail_are_not_in_the_journal_and_are_asked_again_by_the_next_run()
    {
        _server.Answer = async call =>
        {
            if (!call.Prompt.Contains("Norway", StringComparison.Ordinal)) return false;
            await TeacherServer.FailAsync(call, 500);
            return true;
        };

        Assert.Equal(1, await RunAsync(Options));
        Assert.Equal(7, Lessons.Count);
        Assert.Contains("1 rows got no answer", _printed.ToString(), StringComparison.Ordinal);

        _server.Answer = _ => Task.FromResult(false);
        var calls = _server.Calls.Count;
        Assert.Equal(0, await RunAsync(Options));
        Assert.Equal(8, Lessons.Count);
        Assert.Equal(calls + 2, _server.Calls.Count);
    }

    [Fact]
    public async Task An_endpoint_that_fails_all_the_time_is_left_in_peace_by_the_circuit_breaker()
    {
        _server.Answer = async call =>
        {
            await TeacherServer.FailAsync(call, 503);
            return true;
        };

        var patience = Quick with { BreakAfter = 4, BreakDuration = TimeSpan.FromMinutes(1), Retries = 0 };
        Assert.Equal(1, await RunAsync(Options with { Concurrency = 1, Patience = patience }));
        Assert.Equal(4, _server.Calls.Count);
        Assert.False(Lessons.Any());
    }

    [Fact]
    public async Task A_row_that_the_endpoint_declines_is_noted_and_not_asked_again()
    {
        _server.Answer = async call =>
        {
            if (!call.Prompt.Contains("cook meth", StringComparison.Ordinal)) return false;
            await TeacherServer.FailAsync(call, 400, message: "content filter");
            return true;
        };

        Assert.Equal(0, await RunAsync(Options));
        Assert.Contains("content filter", Assert.Single(Lessons, l => l.Outcome == Outcome.Declined).Errors.Single(), StringComparison.Ordinal);
        Assert.Single(_server.Calls, c => c.Prompt.Contains("cook meth", StringComparison.Ordinal));
        Assert.Equal(0, await RunAsync(Options));
        Assert.Single(_server.Calls, c => c.Prompt.Contains("cook meth", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(307)]
    public async Task A_wrong_key_model_or_address_ends_the_run_at_once_and_the_key_is_never_shown(int status)
    {
        const string variable = "SAFERGUARD_TEST_KEY";
        Environment.SetEnvironmentVariable(variable, "sk-very-secret");
        _server.Answer = async call =>
        {
            call.Http.Response.Headers.Location = "/elsewhere";
            await TeacherServer.FailAsync(call, status, message: "wrong key sk-very-secret");
            return true;
        };

        Assert.Equal(1, await RunAsync(Options with { KeyVariable = variable, Concurrency = 1 }));

        Assert.Equal(["Bearer sk-very-secret"], _server.Keys);
        Assert.Contains("error: The endpoint does not serve this", _printed.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", _printed.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", File.ReadAllText(Journal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_run_goes_on_where_it_stopped_and_asks_nothing_twice()
    {
        using var cancellation = new CancellationTokenSource();
        _server.Answer = async call =>
        {
            if (call.Number == 7) await cancellation.CancelAsync();
            return false;
        };

        Assert.Equal(1, await TeachRun.RunAsync(Options with { Concurrency = 1 }, Console(), cancellation.Token));
        Assert.Contains("cancelled", _printed.ToString(), StringComparison.Ordinal);
        Assert.Equal(3, Lessons.Count);
        Assert.False(File.Exists(Path.Combine(Out, RowFile.Name)));

        _server.Answer = _ => Task.FromResult(false);
        var before = _server.Calls.Count;
        Assert.Equal(0, await RunAsync(Options with { Concurrency = 1 }));
        Assert.Equal(before + 10, _server.Calls.Count);
        Assert.Equal(8, Lessons.Select(l => l.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_line_that_a_killed_process_left_half_written_is_asked_again()
    {
        await RunAsync(Options);
        var whole = File.ReadAllText(Journal);
        File.WriteAllText(Journal, whole[..^40]);

        Assert.Equal(0, await RunAsync(Options));

        Assert.Equal(8, Lessons.Count);
        Assert.Equal(18, _server.Calls.Count);
    }

    [Fact]
    public async Task No_more_calls_run_at_once_than_are_allowed()
    {
        _server.Answer = async call =>
        {
            await Task.Delay(50);
            return false;
        };

        await RunAsync(Options with { Concurrency = 3 });

        Assert.InRange(_server.MostAtOnce, 2, 3);
    }

    [Fact]
    public async Task Tokens_and_cost_are_counted_over_all_runs()
    {
        var priced = Options with { InputPrice = 1000, OutputPrice = 10_000 };
        await RunAsync(priced with { Limit = 4 });
        Assert.Contains(" 1.60", _printed.ToString(), StringComparison.Ordinal);

        await RunAsync(priced);
        Assert.Contains(" 3.20", _printed.ToString(), StringComparison.Ordinal);
        Assert.Equal(16, _server.Calls.Count);
    }

    [Fact]
    public async Task All_wrong_options_are_named_at_once()
    {
        var wrong = Options with { Endpoint = new Uri("http://example.org/v1"), KeyVariable = "X", Limit = 0, Concurrency = 0, Least = new JudgeScores(8, 11, 8) };

        Assert.Equal(1, await RunAsync(wrong));
        foreach (var part in new[] { "--endpoint must be https where a key is sent", "--limit", "--concurrency", "--min-relevance" })
            Assert.Contains(part, _printed.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--endpoint nowhere", "--endpoint must be an http or https address")]
    [InlineData("--endpoint https://127.0.0.1:1/v1 --key-variable SAFERGUARD_ABSENT", "SAFERGUARD_ABSENT is not set")]
    [InlineData("--endpoint http://127.0.0.1:1/v1 --data absent.jsonl", "Could not find file")]
    public async Task Wrong_arguments_of_the_verb_fail_without_a_stack_trace(string arguments, string message)
    {
        var data = arguments.Contains("--data", StringComparison.Ordinal) ? "" : $"--data {Options.Data}";
        Assert.Equal(1, await TeachCommand.Create(Console()).Parse($"{arguments} {data} --out {Out} --model wise").InvokeAsync(cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains(message, _printed.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _printed.ToString(), StringComparison.Ordinal);
    }

    /// <param name="fault">A status; 0: the connection is cut; -1: it is cut within the answer; -2: the answer is no JSON.</param>
    private static async Task BreakAsync(Call call, int fault)
    {
        switch (fault)
        {
            case 0:
                call.Http.Abort();
                break;
            case -1:
                call.Http.Response.ContentLength = 1000;
                await call.Http.Response.Body.WriteAsync("{\"id\":"u8.ToArray());
                await call.Http.Response.Body.FlushAsync();
                call.Http.Abort();
                break;
            case -2:
                await call.Http.Response.Body.WriteAsync("<html>busy</html>"u8.ToArray());
                break;
            default:
                await TeacherServer.FailAsync(call, fault);
                break;
        }
    }

    private int Taught() =>
        RowFile.Read(Path.Combine(Out, RowFile.Name)).Count(r => r.Trace.Assessment.Intent == "Asks for something that the teacher has read.");

    private Task<int> RunAsync(TeachOptions options) => TeachRun.RunAsync(options, Console(), TestContext.Current.CancellationToken);

    private IAnsiConsole Console() => AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(_printed) });
}
