using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>
/// Writes one trace in at most three passes, whatever the number of rules (see <see cref="TraceFormat"/>): the prompt gives the assessment, the
/// rules their verdicts, the verdicts the decision. Full traces then fork into one branch for each sentence and evidence span.
/// </summary>
internal sealed class TraceProgram : SequenceProgram
{
    private readonly TraceTokens _tokens;
    private readonly Calibration _calibration;
    private readonly Conversation _conversation;
    private readonly PromptToken[] _prompt;
    private readonly TraceLevel _level;
    private readonly Action<TraceStage>? _progress;

    private Func<LogitRows, Continuation> _next;
    private int[] _slots = [];
    private Risk _risk;
    private List<Rule> _rules = [];
    private double[] _violations = [];
    private Verdict[] _verdicts = [];
    private Decision _decision;
    private SentenceProgram? _intent, _strategy;
    private readonly Dictionary<string, EvidenceProgram> _evidence = [];

    public TraceProgram(
        TraceTokens tokens, Calibration calibration, Conversation conversation, PromptToken[] prompt, TraceLevel level, double lexical,
        Action<TraceStage>? progress)
    {
        Readings = new StageReadings(lexical, 0, 0, 0);
        (_tokens, _calibration, _conversation, _prompt, _level, _progress) = (tokens, calibration, conversation, prompt, level, progress);
        var assessment = tokens.AssessmentChunk(conversation.Subject);
        int[] start = [.. prompt.Select(t => t.Id), .. assessment];
        Start = new Chunk(start, [.. Enumerable.Range(prompt.Length, assessment.Length)]);
        _next = Assess;
    }

    public override Chunk Start { get; }

    public override Growth Growth => _tokens.Growth(_level);

    public StageReadings Readings { get; private set; }

    public DecisionScores Scores { get; private set; } = new(0, 0, 0);

    public IReadOnlyList<double> RuleScores => _violations;

    /// <summary>Each checked rule with the log-odds of its violation before calibration.</summary>
    public IReadOnlyList<RuleReading> RuleReadings { get; private set; } = [];

    /// <summary>The trace as far as it has been decided.</summary>
    public Trace Trace => new(
        new AssessmentStage(_intent?.Text, [.. _slots.Where(s => s > 0).Select(s => _tokens.Policy.Categories[s - 1].Id)], _risk),
        [.. _rules.Select((r, i) => new RuleCheck(r.Id, _verdicts[i], _evidence.GetValueOrDefault(r.Id)?.Evidence))],
        new PathStage(_decision, _strategy?.Text));

    public override Continuation Advance(LogitRows logits) => _next(logits);

    private Continuation Assess(LogitRows logits)
    {
        var categories = TokenChoice.Probabilities(logits[1], _tokens.CategorySlots);
        Readings = Readings with
        {
            Impression = TokenChoice.LogOdds(TokenChoice.Probabilities(logits[0], _tokens.Decisions)[(int)Decision.Refuse]),
            Category = TokenChoice.LogOdds(1 - categories[0]),
        };
        var risks = TokenChoice.Probabilities(logits[2], _tokens.Risks);
        _risk = (Risk)Array.IndexOf(risks, risks.Max());

        var refusal = _calibration.Unchecked.Probability(Readings);
        _slots = Choose(categories, refusal);
        _rules = [.. _tokens.RulesOf(_slots)];
        _verdicts = new Verdict[_rules.Count];
        _violations = new double[_rules.Count];
        _progress?.Invoke(new TraceStage.Assessed(Trace.Assessment));

        var queries = new List<int>();
        var chunk = _tokens.RulesChunk(_risk, _slots, queries);
        Scores = new DecisionScores(1 - refusal, 0, refusal);
        if (_rules.Count == 0)
        {
            _progress?.Invoke(new TraceStage.RulesChecked([], []));
            _next = Decide;
        }
        else
        {
            _next = CheckRules;
        }

        return Continuation.Append(new Chunk(chunk, [.. queries]));
    }

    /// <summary>"No category" alone if it is the likeliest and nothing speaks for a refusal; otherwise the likeliest real ones.</summary>
    private int[] Choose(double[] categories, double refusal)
    {
        var byProbability = Enumerable.Range(1, categories.Length - 1).OrderByDescending(s => categories[s]).ToArray();
        if (categories[0] >= categories[byProbability[0]] && refusal < _calibration.CheckThreshold) return [0];
        var some = 1 - categories[0];
        return [.. byProbability
            .Take(TraceFormat.MaxChosenCategories)
            .Where((s, i) => i == 0 || categories[s] >= _calibration.CategoryThreshold * some)];
    }

    private Continuation CheckRules(LogitRows logits)
    {
        var verdicts = new double[_rules.Count][];
        for (var i = 0; i < verdicts.Length; i++) verdicts[i] = TokenChoice.Probabilities(logits[i], _tokens.Verdicts);
        RuleReadings = [.. _rules.Select((r, i) => new RuleReading(r.Id, TokenChoice.LogOdds(verdicts[i][(int)Verdict.Violated])))];

        if (Likeliest(RuleEffect.Refuse) is { } worst)
        {
            Readings = Readings with { Verdict = RuleReadings[worst].Violated };
            var refusal = _calibration.Checked.Probability(Readings);
            Spread(RuleEffect.Refuse, worst, refusal);
            Scores = new DecisionScores(1 - refusal, 0, refusal);
        }

        // Rules that ask for care divide a topic, so that their probabilities add up.
        if (Likeliest(RuleEffect.Care) is { } gravest)
            Spread(RuleEffect.Care, gravest, Math.Min(1, Enumerable.Range(0, _rules.Count).Where(i => _rules[i].Effect == RuleEffect.Care).Sum(Violated)));

        for (var i = 0; i < _rules.Count; i++)
        {
            var threshold = _rules[i].Effect == RuleEffect.Refuse ? _calibration.ViolationThreshold : _calibration.CareThreshold;
            _verdicts[i] = _violations[i] >= threshold ? Verdict.Violated
                : verdicts[i][(int)Verdict.Clear] >= verdicts[i][(int)Verdict.NotApplicable] ? Verdict.Clear
                : Verdict.NotApplicable;
        }

        _progress?.Invoke(new TraceStage.RulesChecked(Trace.RuleChecks, _violations));
        _next = Decide;
        return Continuation.Append(Chunk.QueriedAtEnd(_tokens.VerdictsChunk(_verdicts)));

        double Violated(int rule) => _calibration.Violation(verdicts[rule][(int)Verdict.Violated]);

        int? Likeliest(RuleEffect effect) =>
            Enumerable.Range(0, _rules.Count).Where(i => _rules[i].Effect == effect).Select(i => (int?)i).MaxBy(i => Violated(i!.Value));

        // The likeliest violation carries the probability of its effect; the others keep their own, up to that.
        void Spread(RuleEffect effect, int likeliest, double probability)
        {
            for (var i = 0; i < _rules.Count; i++)
                if (_rules[i].Effect == effect) _violations[i] = i == likeliest ? probability : Math.Min(Violated(i), probability);
        }
    }

    private Continuation Decide(LogitRows logits)
    {
        var path = TokenChoice.Probabilities(logits[0], _tokens.Decisions);
        var found = _rules.Select((r, i) => (r.Effect, _verdicts[i])).ToArray();
        _decision = Enum.GetValues<Decision>().Where(d => Consistency.Allows(d, found) && IsCalm(d)).MaxBy(d => path[(int)d]);

        // What is not refused is shared between answer and care as the path has it.
        var care = path[(int)Decision.Care] / Math.Max(path[(int)Decision.Care] + path[(int)Decision.Answer], 1e-12);
        Scores = new DecisionScores((1 - Scores.Refuse) * (1 - care), (1 - Scores.Refuse) * care, Scores.Refuse);
        _progress?.Invoke(new TraceStage.PathDecided(Trace.Path, Scores));
        return _level == TraceLevel.Brief ? Continuation.End : Continuation.Fork(Explanations());
    }

    /// <summary>What might have to be refused is not answered without care.</summary>
    private bool IsCalm(Decision decision) => decision != Decision.Answer || Scores.Refuse < _calibration.CareThreshold;

    private List<SequenceProgram> Explanations()
    {
        var decision = _tokens.Decisions[(int)_decision];
        _intent = new SentenceProgram(_tokens, [decision, _tokens.Intent], () => _progress?.Invoke(new TraceStage.Assessed(Trace.Assessment)));
        _strategy = new SentenceProgram(_tokens, [decision, _tokens.Strategy], () => _progress?.Invoke(new TraceStage.PathDecided(Trace.Path, Scores)));
        List<SequenceProgram> branches = [_intent, _strategy];
        for (var i = 0; i < _rules.Count; i++)
        {
            if (_verdicts[i] != Verdict.Violated) continue;
            int[] start = [decision, .. _tokens.EvidenceChunk(_rules[i].Id)];
            var evidence = new EvidenceProgram(
                _tokens, start, _conversation, _prompt, () => _progress?.Invoke(new TraceStage.RulesChecked(Trace.RuleChecks, _violations)));
            if (!evidence.HasCandidates) continue;
            _evidence[_rules[i].Id] = evidence;
            branches.Add(evidence);
        }

        return branches;
    }
}
