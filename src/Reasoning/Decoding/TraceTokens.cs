using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Decoding;

/// <summary>
/// The token ids of <see cref="TraceFormat"/> for one tokeniser and policy, and the chunks that the format forces. Training builds its inputs
/// from the same chunks that serving appends.
/// </summary>
public sealed class TraceTokens
{
    private readonly Policy _policy;
    private readonly int[] _categorySlots;
    private readonly int[] _ruleSlots;
    private readonly int[][][]? _ruleTexts;
    private readonly Dictionary<Subject, int> _assess;
    private readonly int _query, _verdicts, _path;

    /// <param name="readsRuleText">Put the text of the rules of a category before their query tokens.</param>
    public TraceTokens(GuardTokenizer tokenizer, Policy policy, bool readsRuleText = false)
    {
        _policy = policy;
        Tokenizer = tokenizer;
        Template = new PromptTemplate(tokenizer, readsRuleText ? policy : null);
        _categorySlots = Ids(Enumerable.Range(0, policy.Categories.Count + 1).Select(TraceFormat.CategorySlot));
        _ruleSlots = Ids(Enumerable.Range(1, policy.Categories.Max(c => c.Rules.Count)).Select(TraceFormat.RuleSlot));
        _assess = Enum.GetValues<Subject>().ToDictionary(s => s, s => tokenizer.SpecialId(TraceFormat.Token(s)));
        Risks = Ids(Enum.GetValues<Risk>().Select(TraceFormat.Token));
        Verdicts = Ids(Enum.GetValues<Verdict>().Select(TraceFormat.Token));
        Decisions = Ids(Enum.GetValues<Decision>().Select(TraceFormat.Token));
        CategoriesQuery = tokenizer.SpecialId(TraceFormat.Categories);
        RiskQuery = tokenizer.SpecialId(TraceFormat.RiskQuery);
        _query = tokenizer.SpecialId(TraceFormat.Query);
        _verdicts = tokenizer.SpecialId(TraceFormat.Verdicts);
        _path = tokenizer.SpecialId(TraceFormat.Path);
        Intent = tokenizer.SpecialId(TraceFormat.Intent);
        Evidence = tokenizer.SpecialId(TraceFormat.EvidenceStart);
        Strategy = tokenizer.SpecialId(TraceFormat.Strategy);
        End = tokenizer.SpecialId(TraceFormat.End);
        Sentence = TokenMask.Sentence(tokenizer);
        if (readsRuleText) _ruleTexts = [.. policy.Categories.Select(c => c.Rules.Select(r => Encode(r.Text)).ToArray())];
        MaxRules = policy.Categories.Select(c => c.Rules.Count).OrderDescending().Take(TraceFormat.MaxChosenCategories).Sum();
        MaxDecisionTokens = MaxRules + 4 + Enumerable.Range(1, policy.Categories.Count)
            .Select(slot => RulesChunk(Risk.None, [slot], []).Length).OrderDescending().Take(TraceFormat.MaxChosenCategories).Sum();

        int[] Ids(IEnumerable<string> tokens) => [.. tokens.Select(tokenizer.SpecialId)];
    }

    public GuardTokenizer Tokenizer { get; }

    public Policy Policy => _policy;

    /// <summary>Renders conversations as the model reads them.</summary>
    public PromptTemplate Template { get; }

    internal TokenMask Sentence { get; }

    /// <summary>The most rules that one trace checks.</summary>
    public int MaxRules { get; }

    /// <summary>The most tokens from the assessment to the decision, the decision included.</summary>
    public int MaxDecisionTokens { get; }

    /// <summary>What a trace may grow to behind its assessment: a branch for each sentence and each rule that may be violated.</summary>
    public Growth Growth(TraceLevel level) => level == TraceLevel.Brief
        ? new Growth(MaxDecisionTokens)
        : new Growth(MaxDecisionTokens, 2 + MaxRules, EvidenceProgram.MaxTokens + 4);

    /// <summary>Token ids by enum value.</summary>
    public IReadOnlyList<int> Risks { get; }

    /// <inheritdoc cref="Risks"/>
    public IReadOnlyList<int> Verdicts { get; }

    /// <inheritdoc cref="Risks"/>
    public IReadOnlyList<int> Decisions { get; }

    /// <summary>Token ids by slot: 0 is "no category", slot i is category i - 1 of the policy.</summary>
    public IReadOnlyList<int> CategorySlots => _categorySlots;

    public int CategoriesQuery { get; }

    public int RiskQuery { get; }

    public int Intent { get; }

    public int Evidence { get; }

    public int Strategy { get; }

    public int End { get; }

    /// <summary>Slots of category ids, for example S5 → 5; no categories → [0].</summary>
    /// <exception cref="KeyNotFoundException">The policy has no such category.</exception>
    public int[] SlotsOf(IReadOnlyList<string> categories) => categories.Count == 0 ? [0] : [.. categories.Select(SlotOf)];

    /// <summary>The most tokens that a trace adds behind the conversation on any one path through its branches.</summary>
    public int MaxTraceTokens => AssessmentTokens + MaxDecisionTokens + Growth(TraceLevel.Full).BranchTokens;

    /// <summary>Tokens of <see cref="AssessmentChunk"/>.</summary>
    public const int AssessmentTokens = 3;

    /// <summary>Ends pass 1: (ASSESS, CATEGORIES, RISK). All three are query tokens: first impression, categories, risk.</summary>
    public int[] AssessmentChunk(Subject subject) => [_assess[subject], CategoriesQuery, RiskQuery];

    /// <summary>Pass 2: the decided risk and every rule of the chosen categories; or, for slot 0 alone, the way to the path.</summary>
    /// <param name="slots">Chosen category slots.</param>
    /// <param name="queries">Receives the positions in the chunk of each rule's query token, in order; for slot 0 that of PATH.</param>
    public int[] RulesChunk(Risk risk, ReadOnlySpan<int> slots, List<int> queries)
    {
        var chunk = new List<int> { Risks[(int)risk] };
        if (slots is [0])
        {
            chunk.Add(_categorySlots[0]);
            queries.Add(chunk.Count);
            chunk.Add(_path);
            return [.. chunk];
        }

        foreach (var slot in slots)
        {
            if (_ruleTexts is null) continue;
            chunk.Add(_categorySlots[slot]);
            for (var rule = 0; rule < _ruleTexts[slot - 1].Length; rule++)
            {
                chunk.Add(_ruleSlots[rule]);
                chunk.AddRange(_ruleTexts[slot - 1][rule]);
            }
        }

        // All queries stand behind all texts, so that the texts can come from the prefix cache and need not fit into one pass with the queries.
        foreach (var slot in slots)
        {
            chunk.Add(_categorySlots[slot]);
            for (var rule = 0; rule < _policy.Categories[slot - 1].Rules.Count; rule++)
            {
                chunk.Add(_ruleSlots[rule]);
                queries.Add(chunk.Count);
                chunk.Add(_query);
            }
        }

        return [.. chunk];
    }

    /// <summary>Pass 3: the verdicts in the order of the rules, and PATH, the query token of the decision.</summary>
    public int[] VerdictsChunk(IEnumerable<Verdict> verdicts) => [_verdicts, .. verdicts.Select(v => Verdicts[(int)v]), _path];

    /// <summary>Starts the evidence branch of a rule.</summary>
    public int[] EvidenceChunk(string rule)
    {
        for (var category = 0; category < _policy.Categories.Count; category++)
        {
            var rules = _policy.Categories[category].Rules;
            for (var i = 0; i < rules.Count; i++)
            {
                if (rules[i].Id == rule) return [Evidence, _categorySlots[category + 1], _ruleSlots[i]];
            }
        }

        throw new KeyNotFoundException($"The policy has no rule '{rule}'.");
    }

    /// <summary>The rules of the chosen slots, in the order in which a trace checks them.</summary>
    public IEnumerable<Rule> RulesOf(IEnumerable<int> slots) => slots.Where(s => s > 0).SelectMany(s => _policy.Categories[s - 1].Rules);

    private int SlotOf(string category)
    {
        var index = _policy.IndexOfCategory(category);
        return index >= 0 ? index + 1 : throw new KeyNotFoundException($"The policy has no category '{category}'.");
    }

    private int[] Encode(string text)
    {
        var spans = new List<TokenSpan>();
        Tokenizer.Encode(text, spans);
        return [.. spans.Select(s => s.Id)];
    }
}
