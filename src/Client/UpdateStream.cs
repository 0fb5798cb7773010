using System.Net;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace SaferGuard.Client;

/// <summary>Reads a completion that comes as server-sent events. It ends with the whole completion or with an exception, never in between.</summary>
internal static class UpdateStream
{
    public static async IAsyncEnumerable<CompletionUpdate> ReadAsync(HttpContent content, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var body = await content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var parser = SseParser.Create(body, (name, data) => (name, Data: data.ToArray()));
        await using var events = parser.EnumerateAsync(cancellation).GetAsyncEnumerator(cancellation);
        while (await NextAsync(events).ConfigureAwait(false))
        {
            var (name, data) = events.Current.Data;
            if (Update(name, data) is not { } update) continue;
            yield return update;
            if (update is CompletionUpdate.Completed) yield break;
        }

        throw new SaferGuardUnavailableException("SaferGuard's stream ended before the completion was whole.");
    }

    private static async ValueTask<bool> NextAsync(IAsyncEnumerator<SseItem<(string Name, byte[] Data)>> events)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            throw new SaferGuardUnavailableException("SaferGuard's stream broke off.", inner: broken);
        }
    }

    /// <summary>Null for events that this client does not know.</summary>
    private static CompletionUpdate? Update(string name, byte[] data) => name switch
    {
        "assessment" => new CompletionUpdate.Assessed(Read(data, WireJson.Default.AssessmentStage)),
        "rule_check" => new CompletionUpdate.RulesChecked(Read(data, WireJson.Default.IReadOnlyListRuleCheck)),
        "path" => new CompletionUpdate.PathDecided(Read(data, WireJson.Default.PathStage)),
        "explanation" => Explained(Read(data, WireJson.Default.Explanation)),
        "output" => new CompletionUpdate.Wrote(Read(data, WireJson.Default.OutputPiece).Text),
        "degraded" => new CompletionUpdate.Degraded(Read(data, WireJson.Default.Degradation)),
        "completion" => new CompletionUpdate.Completed(Read(data, WireJson.Default.Completion)),
        "error" => throw Failure(data),
        _ => null,
    };

    private static CompletionUpdate? Explained(Explanation part) => part switch
    {
        { Assessment: { } assessment } => new CompletionUpdate.Assessed(assessment),
        { RuleCheck: { } checks } => new CompletionUpdate.RulesChecked(checks),
        { Path: { } path } => new CompletionUpdate.PathDecided(path),
        _ => null,
    };

    private static T Read<T>(byte[] data, JsonTypeInfo<T> type) => SaferGuardClient.Understood(() => JsonSerializer.Deserialize(data, type));

    private static SaferGuardException Failure(byte[] data)
    {
        var problem = ProblemReader.Read(data);
        return problem is null
            ? new SaferGuardUnavailableException("SaferGuard's stream ended with an error that this client does not understand.")
            : SaferGuardException.Of((HttpStatusCode)problem.Status, problem, null);
    }
}
