using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;

namespace SaferGuard.Training.Preference;

/// <summary>
/// Samples one trace from the model's own distribution, uncalibrated: at each query token among the choices that it has, the decision among those
/// that follow from the verdicts, the sentences token by token.
/// </summary>
/// <param name="key">Equal keys give equal draws.</param>
internal sealed class SamplingProgram(
    TraceTokens tokens, SentenceMasks masks, int[] prompt, Subject subject, RollOutOptions options, string key) : SequenceProgram
{
    private readonly Draw _draw = new(options.Seed, key);
    private Func<LogitRows, Continuation>? _next;
    private SampledTrace? _trace;
    private SentenceSampling? _intent, _strategy;
    private Rule[] _rules = [];

    public override Chunk Start { get; } = new(
        [.. prompt, .. tokens.AssessmentChunk(subject)], [.. Enumerable.Range(prompt.Length, TraceTokens.AssessmentTokens)]);

    public override Growth Growth => new(tokens.MaxDecisionTokens, Branches: 2, TraceFormat.MaxSentenceTokens + 2);

    /// <summary>Valid once the engine has run the program.</summary>
    public SampledTrace Trace => _trace! with { Intent = _intent!.Sentence, Strategy = _strategy!.Sentence };

    public override Continuation Advance(LogitRows logits) => (_next ?? Assess)(logits);

    private Continuation Assess(LogitRows logits)
    {
        var impression = (Decision)Choose(logits[0], tokens.Decisions);
        var slot = Choose(logits[1], tokens.CategorySlots);
        var risk = (Risk)Choose(logits[2], tokens.Risks);
        _rules = [.. tokens.RulesOf([slot])];
        _trace = new SampledTrace(impression, slot == 0 ? Policy.NoCategory : tokens.Policy.Categories[slot - 1].Id, risk, Verdicts: []);
        _next = slot == 0 ? Decide : CheckRules;
        var queries = new List<int>();
        return Continuation.Append(new Chunk(tokens.RulesChunk(risk, [slot], queries), [.. queries]));
    }

    private Continuation CheckRules(LogitRows logits)
    {
        var verdicts = new Verdict[_rules.Length];
        for (var i = 0; i < verdicts.Length; i++) verdicts[i] = (Verdict)Choose(logits[i], tokens.Verdicts);
        _trace = _trace! with { Verdicts = verdicts };
        _next = Decide;
        return Continuation.Append(Chunk.QueriedAtEnd(tokens.VerdictsChunk(verdicts)));
    }

    private Continuation Decide(LogitRows logits)
    {
        var found = _rules.Zip(_trace!.Verdicts!, (rule, verdict) => (rule.Effect, verdict)).ToArray();
        Decision[] allowed = [.. Enum.GetValues<Decision>().Where(d => Consistency.Allows(d, found))];
        var decision = allowed[Choose(logits[0], [.. allowed.Select(d => tokens.Decisions[(int)d])])];
        _trace = _trace with { Decision = decision };
        _intent = Sampling(tokens.Intent);
        _strategy = Sampling(tokens.Strategy);
        return Continuation.Fork([_intent, _strategy]);

        // Draws of their own, since the order in which the engine advances the two is not fixed.
        SentenceSampling Sampling(int marker) =>
            new(tokens, masks, [tokens.Decisions[(int)decision], marker], options.TextTemperature, new Draw(options.Seed, $"{key} {marker}"));
    }

    private int Choose(ReadOnlySpan<float> logits, IReadOnlyList<int> choices)
    {
        var weights = TokenChoice.Probabilities(logits, choices);
        var highest = weights.Max(); // becomes 1, so that a low temperature leaves something
        for (var i = 0; i < weights.Length; i++) weights[i] = Math.Pow(weights[i] / highest, 1 / options.Temperature);
        var left = _draw.Share() * weights.Sum();
        for (var i = 0; i < weights.Length; i++)
        {
            left -= weights[i];
            if (left < 0) return i;
        }

        return Array.IndexOf(weights, weights.Max());
    }
}

/// <summary>What a sentence may begin with, and what it may go on with.</summary>
internal sealed class SentenceMasks(TraceTokens tokens)
{
    public TokenMask First { get; } = TokenMask.Sentence(tokens.Tokenizer);

    public TokenMask Next { get; } = TokenMask.SentenceOrEnd(tokens.Tokenizer, tokens.End);
}

/// <summary>Samples one sentence as serving decodes it: text up to END, at least one token that is not blank.</summary>
internal sealed class SentenceSampling(TraceTokens tokens, SentenceMasks masks, int[] start, double temperature, Draw draw) : SequenceProgram
{
    private readonly List<int> _sampled = [];
    private bool _hasText, _ended;

    public override Chunk Start { get; } = Chunk.QueriedAtEnd(start);

    public override Growth Growth => new(TraceFormat.MaxSentenceTokens);

    public Sentence Sentence => new(tokens.Tokenizer.Decode([.. _sampled]).Trim(), _sampled, _ended);

    public override Continuation Advance(LogitRows logits)
    {
        var token = (_hasText ? masks.Next : masks.First).Sample(logits[0], temperature, draw.Share());
        _ended = token == tokens.End;
        if (_ended) return Continuation.End;
        _sampled.Add(token);
        _hasText |= tokens.Tokenizer.Bytes(token).ContainsAnyExcept((byte)' ');
        return _sampled.Count == TraceFormat.MaxSentenceTokens ? Continuation.End : Decode(token);
    }
}
