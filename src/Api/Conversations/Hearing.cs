using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Conversations;

/// <summary>The judging of one conversation.</summary>
internal sealed class Hearing
{
    private readonly Conversation _conversation;
    private readonly TraceLevel _level;
    private readonly Action<TraceStage>? _decided;
    private readonly Reading _reading;
    private readonly TextWindows _windows;
    private readonly ConversationParts _parts;
    private readonly int[] _tokens;
    private readonly int _limit, _maxTokens;

    /// <param name="maxTokens">Of all turns together.</param>
    public Hearing(
        Conversation conversation, TraceLevel level, Action<TraceStage>? decided, Reading reading, TextWindows windows, int maxTokens)
    {
        (_conversation, _level, _decided, _reading, _windows) = (conversation, level, decided, reading, windows);
        _parts = ConversationParts.Of(conversation);
        _tokens = [.. conversation.Turns.Select(turn => reading.Policy.CountTokens(turn))];
        _limit = reading.Policy.Room;
        _maxTokens = Math.Max(maxTokens, _limit);
    }

    public async Task<ConversationJudgment> JudgeAsync()
    {
        if (_tokens.Sum() > _maxTokens) throw new PromptTooLongException(_tokens.Sum(), _maxTokens);
        var request = Request();

        var alone = await Task.WhenAll(_parts.Exchanges.SelectMany(exchange => exchange).Concat(_parts.Open).Select(FirstRefusedAsync));
        var refused = alone.OfType<Part>().ToDictionary(part => part.Turns[0]);
        IReadOnlyList<int> withheld = [.. _parts.Exchanges.Where(exchange => exchange.Any(refused.ContainsKey)).SelectMany(exchange => exchange)];
        if (_parts.Open.Where(refused.ContainsKey).Select(turn => refused[turn]).LastOrDefault() is { } open)
            return Found(await _reading.JudgePartAsync(open, _level, _decided), open.Conversation, open.Turns[0], withheld, []);

        var allowed = _parts.Exchanges.Where(exchange => !withheld.Contains(exchange[0])).ToList();
        var (judgment, background, stages) = await JudgeTogetherAsync(request, allowed);
        if (judgment.IsRefused() && background.Count > 0 && await IsRefusedAsync(background))
        {
            // The old turns are refused without the request too: they are to blame, not the request.
            withheld = [.. withheld.Concat(allowed.SelectMany(exchange => exchange)).Order()];
            allowed = [];
            (judgment, background, stages) = await JudgeTogetherAsync(request, allowed);
        }

        foreach (var stage in stages) _decided?.Invoke(stage);
        IReadOnlyList<int> read = [.. request, .. background];
        return Found(judgment, PartOf([.. read.Order()]).Conversation, DecidingTurn(judgment), withheld, [.. Enumerable.Range(0, _tokens.Length).Except(read).Except(withheld)]);
    }

    /// <summary>System turns and the open request, which must be judged together; results of tools as far as there is room for them.</summary>
    private List<int> Request()
    {
        List<int> turns = [.. _parts.System, .. _parts.Open.Where(turn => _conversation.Turns[turn].Role == Role.User)];
        var used = turns.Sum(turn => _tokens[turn]);
        if (used > _limit) throw new PromptTooLongException(used, _limit);
        foreach (var turn in _parts.Open.Except(turns).Reverse())
        {
            if (used + _tokens[turn] > _limit) continue;
            used += _tokens[turn];
            turns.Add(turn);
        }

        return turns;
    }

    /// <summary>The request together with the newest exchanges that fit beside it.</summary>
    private async Task<(Judgment Judgment, IReadOnlyList<int> Background, IReadOnlyList<TraceStage> Stages)> JudgeTogetherAsync(
        List<int> request, IReadOnlyList<IReadOnlyList<int>> exchanges)
    {
        var used = request.Sum(turn => _tokens[turn]);
        var background = new List<int>();
        foreach (var exchange in exchanges.Reverse())
        {
            used += exchange.Sum(turn => _tokens[turn]);
            if (used > _limit) break;
            background.AddRange(exchange);
        }

        background.Sort();
        // Told only when the judgment stands.
        var stages = new List<TraceStage>();
        var judgment = await _reading.JudgePartAsync(PartOf([.. request.Concat(background).Order()]), _level, stages.Add);
        return (judgment, background, stages);
    }

    private async Task<bool> IsRefusedAsync(IReadOnlyList<int> turns) => (await _reading.JudgePartAsync(PartOf(turns), TraceLevel.Brief)).IsRefused();

    /// <summary>The first part of a turn that is refused by itself, or null.</summary>
    private async Task<Part?> FirstRefusedAsync(int turn)
    {
        var parts = PartsOf(turn);
        var judgments = await Task.WhenAll(parts.Select(part => _reading.JudgePartAsync(part, TraceLevel.Brief)));
        return parts.Zip(judgments).FirstOrDefault(judged => judged.Second.IsRefused()).First;
    }

    /// <summary>Users' turns as they are, if they fit; results of tools and answers, which may be long and are mostly harmless, in windows.</summary>
    private IReadOnlyList<Part> PartsOf(int turn)
    {
        var (role, content) = _conversation.Turns[turn];
        if (role == Role.User && _tokens[turn] <= _limit) return [PartOf([turn])];
        return [.. _windows.Of(content, _reading.Policy).Select(window => new Part(
            new([new Turn(role, window.Text)], role == Role.Assistant ? Subject.Response : Subject.Prompt), [turn], window.Start))];
    }

    private Part PartOf(IReadOnlyList<int> turns) => new(new([.. turns.Select(turn => _conversation.Turns[turn])]), turns);

    private int DecidingTurn(Judgment judgment) =>
        judgment.Trace.RuleChecks.Select(check => check.Evidence?.Turn).FirstOrDefault(turn => turn is not null)
        ?? (_parts.Open.Count > 0 ? _parts.Open.LastOrDefault(turn => _conversation.Turns[turn].Role == Role.User, _parts.Open[^1]) : _parts.System[^1]);

    private ConversationJudgment Found(Judgment judgment, Conversation read, int turn, IReadOnlyList<int> withheld, IReadOnlyList<int> apart) =>
        new(_reading.Total(judgment), read, new(turn, withheld, apart));
}
