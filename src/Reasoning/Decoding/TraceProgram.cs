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
    private readonly CompiledPolicy _policy;
    private readonly TraceTokens _tokens;
    private readonly Calibration _calibration;
    private readonly Conversation _conversation;
    private readonly PromptToken[] _prompt;
    private readonly TraceLevel _level;
    private readonly Action<TraceStage>? _progress;

    private Func<LogitRows, Continuation> _next;
    private int[] _slots = [];
    private Risk _risk;

    /// <summary>The rules that the model reads, and of these, those that the policy checks, with their place among them.</summary>
    private List<Rule> _read = [];
    private List<(AppliedRule Applied, int Read)> _checks = [];
    private double[] _violations = [];
    private Verdict[] _verdicts = [];
    private Decision _decision;
    private SentenceProgram? _intent, _strategy;
    private readonly Dictionary<string, EvidenceProgram> _evidence = [];

    /// <param name="calibration">At the operating point that decides.</param>
    public TraceProgram(
        CompiledPolicy policy, Calibration calibration, Conversation conversation, PromptToken[] prompt, TraceLevel level, double lexical,
        Action<TraceStage>? progress)
    {
        Readings = new StageReadings(lexical, 0, 0, 0);
        (_policy, _tokens, _calibration) = (policy, policy.Tokens, calibration);
        (_conversation, _prompt, _level, _progress) = (conversation, prompt, level, progress);
        var assessment = _tokens.AssessmentChunk(conversation.Subject);
        int[] start = [.. prompt.Select(t => t.Id), .. assessment];
        Start = new Chunk(start, [.. Enumerable.Range(prompt.Length, assessment.Length)]);
        _next = Assess;
    }

    public override Chunk Start { get; }

    public override Growth Growth => _tokens.Growth(_level);

    public StageReadings Readings { get; private set; }

    public DecisionScores Scores { get; private set; } = new(0, 0, 0);

    /// <summary>By rule check of the trace.</summary>
    public IReadOnlyList<double> RuleScores => _violations;

    /// <summary>Each rule that the model read, with the log-odds of its violation before calibration.</summary>
    public IReadOnlyList<RuleReading> RuleReadings { get; private set; } = [];

    /// <summary>The trace as far as it has been decided.</summary>
    public Trace Trace => new(
        new AssessmentStage(_intent?.Text, [.. _slots.Select(_policy.Applied).OfType<AppliedCategory>().Select(c => c.Id)], _risk),
        [.. _checks.Select((c, i) => CheckOf(c.Applied.Rule, _verdicts[i]))],
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
        _read = [.. _tokens.RulesOf(_slots)];
        _checks = [.. ChecksOf(_slots)];
        _verdicts = new Verdict[_checks.Count];
        _violations = new double[_checks.Count];
        _progress?.Invoke(new TraceStage.Assessed(Trace.Assessment));

        var queries = new List<int>();
        var chunk = _tokens.RulesChunk(_risk, _slots, queries);
        Scores = new DecisionScores(1 - refusal, 0, refusal);
        if (_read.Count == 0)
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
        if (categories[0] >= categories[byProbability[0]] && refusal < Math.Min(_calibration.CheckThreshold, _policy.LowestThreshold)) return [0];
        var some = 1 - categories[0];
        return [.. byProbability
            .Take(TraceFormat.MaxChosenCategories)
            .Where((s, i) => i == 0 || categories[s] >= _calibration.CategoryThreshold * some)];
    }

    private IEnumerable<(AppliedRule Applied, int Read)> ChecksOf(int[] slots)
    {
        var before = 0;
        foreach (var slot in slots.Where(s => s > 0))
        {
            foreach (var rule in _policy.Applied(slot)?.Rules ?? []) yield return (rule, before + rule.Position);
            before += _tokens.Policy.Categories[slot - 1].Rules.Count;
        }
    }

    private Continuation CheckRules(LogitRows logits)
    {
        var probabilities = new double[_read.Count][];
        for (var i = 0; i < probabilities.Length; i++) probabilities[i] = TokenChoice.Probabilities(logits[i], _tokens.Verdicts);
        var scores = new RuleScores(_read, probabilities, Readings, _calibration);
        (Readings, RuleReadings) = (scores.Stages, scores.Readings);

        // What the model is told: of violations, those alone that decide.
        var told = new Verdict[_read.Count];
        for (var i = 0; i < told.Length; i++) told[i] = scores.Unviolated(i);
        var refusal = scores.CarriesRefusal ? 0 : Scores.Refuse;
        for (var i = 0; i < _checks.Count; i++)
        {
            var ((rule, _, _), read) = _checks[i];
            _violations[i] = scores.Violations[read];
            _verdicts[i] = _violations[i] >= ThresholdOf(rule) ? Verdict.Violated : scores.Unviolated(read);
            if (!rule.Decides) continue;
            told[read] = _verdicts[i];
            if (rule.Effect == RuleEffect.Refuse) refusal = Math.Max(refusal, _violations[i]);
        }

        Scores = new DecisionScores(1 - refusal, 0, refusal);
        _progress?.Invoke(new TraceStage.RulesChecked(Trace.RuleChecks, _violations));
        _next = Decide;
        return Continuation.Append(Chunk.QueriedAtEnd(_tokens.VerdictsChunk(told)));
    }

    private double ThresholdOf(Rule rule) =>
        rule.Threshold ?? (rule.Effect == RuleEffect.Refuse ? _calibration.ViolationThreshold : _calibration.CareThreshold);

    private Continuation Decide(LogitRows logits)
    {
        var path = TokenChoice.Probabilities(logits[0], _tokens.Decisions);
        var found = _checks.Select((c, i) => (c.Applied.Rule, _verdicts[i])).ToArray();
        _decision = _checks.Where((c, i) => c.Applied.Binds && _verdicts[i] == Verdict.Violated).Any()
            ? Decision.Refuse
            : Enum.GetValues<Decision>().Where(d => Consistency.Allows(d, found) && IsCalm(d)).MaxBy(d => path[(int)d]);

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
        for (var i = 0; i < _checks.Count; i++)
        {
            if (_verdicts[i] != Verdict.Violated) continue;
            var rule = _checks[i].Applied.Rule.Id;
            int[] start = [decision, .. _tokens.EvidenceChunk(rule)];
            var evidence = new EvidenceProgram(
                _tokens, start, _conversation, _prompt, () => _progress?.Invoke(new TraceStage.RulesChecked(Trace.RuleChecks, _violations)));
            if (!evidence.HasCandidates) continue;
            _evidence[rule] = evidence;
            branches.Add(evidence);
        }

        return branches;
    }

    private RuleCheck CheckOf(Rule rule, Verdict verdict) =>
        new(rule.Id, verdict, _evidence.GetValueOrDefault(rule.Id)?.Evidence, rule.Enforcement);
}
