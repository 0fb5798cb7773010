using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.AI;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Teacher.Llm;

/// <summary>Has a language model write the trace of a row, and a second call score it.</summary>
/// <param name="judge">Null where nobody judges.</param>
internal sealed class LlmTeacher(IChatClient teacher, IChatClient? judge, Policy policy, TeachOptions options)
{
    private readonly ChatOptions _chat = new()
    {
        ResponseFormat = ChatResponseFormat.Json,
        MaxOutputTokens = options.MaxOutputTokens,
        Temperature = options.Temperature,
    };

    /// <summary>Names all that the answer depends on: the models and every word that they are told about the row.</summary>
    public string DigestOf(TrainingRow row)
    {
        string[] asked =
        [
            options.Model, judge is null ? "" : $"{options.JudgeModel ?? options.Model}\0{TraceJudge.Instructions}",
            .. TeacherPrompt.Of(row, policy).Select(m => m.Text),
        ];
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', asked))));
    }

    public async Task<Lesson> TeachAsync(TrainingRow row, string digest, CancellationToken cancellation)
    {
        var tokens = new TokenCount();
        var (trace, errors) = await AskAsync(teacher, TeacherPrompt.Of(row, policy), text => Read(text, row), tokens, cancellation);
        if (trace is null) return Lesson.Without(digest, row, Outcome.Malformed, errors, tokens);
        if (judge is null) return Lesson.With(digest, row, trace, null, tokens);
        (var scores, errors) = await AskAsync(judge, TraceJudge.Prompt(row, trace, policy), ReadScores, tokens, cancellation);
        return scores is null
            ? Lesson.Without(digest, row, Outcome.Unjudged, errors, tokens)
            : Lesson.With(digest, row, trace, scores, tokens);
    }

    /// <summary>Asks until an answer can be read, sending each faulty one back with its errors.</summary>
    private async Task<(T? Answer, IReadOnlyList<string> Errors)> AskAsync<T>(
        IChatClient model, List<ChatMessage> messages, Func<string, (T? Answer, IReadOnlyList<string> Errors)> read, TokenCount tokens, CancellationToken cancellation)
        where T : class
    {
        for (var attempt = 1; ; attempt++)
        {
            var response = await model.GetResponseAsync(messages, _chat, cancellation);
            tokens.Add(response.Usage);
            var (answer, errors) = read(response.Text);
            if (response.FinishReason == ChatFinishReason.Length) errors = [$"the answer was cut off after {options.MaxOutputTokens} tokens", .. errors];
            if (answer is not null || attempt == options.Attempts) return (answer, errors);
            messages.AddRange([new ChatMessage(ChatRole.Assistant, response.Text), TeacherPrompt.Correction(errors)]);
        }
    }

    private (Trace?, IReadOnlyList<string>) Read(string text, TrainingRow row)
    {
        var (trace, errors) = TraceAnswer.Read(text, row, policy);
        return (trace, errors);
    }

    private static (JudgeScores?, IReadOnlyList<string>) ReadScores(string text)
    {
        var errors = new List<string>();
        return (TraceJudge.Read(text, errors), errors);
    }
}

/// <summary>Tokens that one row has cost, over all its calls.</summary>
internal sealed class TokenCount
{
    public long Input { get; private set; }

    public long Output { get; private set; }

    public void Add(UsageDetails? usage)
    {
        Input += usage?.InputTokenCount ?? 0;
        Output += usage?.OutputTokenCount ?? 0;
    }
}
