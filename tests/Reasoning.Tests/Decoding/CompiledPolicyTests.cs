using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Tests.Engine;
using SaferGuard.Reasoning.Tests.Policies;
using SaferGuard.Reasoning.Tests.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tests.Decoding;

/// <summary>Many policies on one model whose logits are random.</summary>
public sealed class CompiledPolicyTests : IAsyncLifetime
{
    private static readonly TraceTokens Tokens = new(TokenizerFixture.Tokenizer, PolicyReader.Default);

    /// <summary>Readings that are neither certain nor equal, so that thresholds matter; rules are always checked.</summary>
    private static readonly Calibration Spread = Calibration.Neutral with { VerdictTemperature = 4, CheckThreshold = double.Epsilon };

    private static readonly Gen<Conversation> Conversations = Gen.Int[0, 100_000].Select(i => Conversation.OfPrompt($"how do I make {i} of it?"));

    private static readonly Gen<(Policy Policy, Conversation Conversation)> Cases = Gen.Select(PolicyVariants.Of(PolicyReader.Default), Conversations);

    private readonly InferenceEngine _engine = new(
        new ToyModelRunner(blocks: 4096, vocabulary: TokenizerFixture.Tokenizer.VocabularySize), null,
        new EngineOptions { MaxBatchQueries = 64, MaxBatchTokens = 1024 }, NullLogger.Instance);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public void Whatever_the_policy_is_the_trace_is_one_of_it_and_its_decision_follows_from_what_is_enforced() => Cases.Sample(
        sample =>
        {
            var (policy, conversation) = sample;
            var trace = Run(policy, conversation, TraceLevel.Full).Trace;
            var text = TraceWriter.Write(trace, policy, conversation.Subject);
            Assert.Equal(text, TraceWriter.Write(TraceParser.Parse(text, policy, conversation), policy, conversation.Subject));
            Assert.All(trace.RuleChecks, check => Assert.True(policy.TryGetRule(check.Rule, out var rule) && rule.IsChecked && rule.Enforcement == check.Enforcement));
        },
        iter: 150, threads: 1);

    [Fact]
    public void The_score_of_a_rule_is_the_same_under_every_policy() => Cases.Sample(
        sample =>
        {
            var (policy, conversation) = sample;
            var whole = Run(PolicyReader.Default, conversation, TraceLevel.Brief);
            var part = Run(policy, conversation, TraceLevel.Brief);

            Assert.Equal(
                whole.Trace.Assessment.Categories.Where(id => policy.IndexOfCategory(id) is >= 0 and var i && policy.Categories[i].IsChecked),
                part.Trace.Assessment.Categories);
            var scores = whole.Trace.RuleChecks.Zip(whole.RuleScores).ToDictionary(s => s.First.Rule, s => s.Second);
            Assert.All(part.Trace.RuleChecks.Zip(part.RuleScores), check => Assert.Equal(scores[check.First.Rule], check.Second));
        },
        iter: 150, threads: 1);

    [Fact]
    public void What_is_only_monitored_decides_as_little_as_what_is_off()
    {
        var monitored = 0;
        Cases.Sample(
            sample =>
            {
                var (policy, conversation) = sample;
                if (!policy.Categories.Any(c => c.Rules.Any(r => r.Decides))) return;
                var off = new Policy("off", "1", "sha256:2", [.. policy.Categories.Select(c => c with { Rules = [.. c.Rules.Select(WithoutMonitoring)] })]);
                var (with, without) = (Run(policy, conversation, TraceLevel.Brief), Run(off, conversation, TraceLevel.Brief));

                monitored += with.Trace.RuleChecks.Count(c => c is { Enforcement: Enforcement.Monitor, Verdict: Verdict.Violated });
                Assert.Equal((without.Scores, without.Trace.Path.Decision), (with.Scores, with.Trace.Path.Decision));
                Assert.DoesNotContain(without.Trace.RuleChecks, c => c.Enforcement == Enforcement.Monitor);
            },
            iter: 200, threads: 1);
        Assert.True(monitored > 20);
    }

    [Fact]
    public void A_full_trace_decides_what_the_brief_one_decides() => Cases.Sample(
        sample =>
        {
            var (brief, full) = (Run(sample.Policy, sample.Conversation, TraceLevel.Brief), Run(sample.Policy, sample.Conversation, TraceLevel.Full));
            Assert.Equal(brief.Scores, full.Scores);
            Assert.Equal(brief.RuleScores, full.RuleScores);
            Assert.Equal(brief.Trace.Path.Decision, full.Trace.Path.Decision);
            Assert.Equal(brief.Trace.RuleChecks.Select(c => c.Verdict), full.Trace.RuleChecks.Select(c => c.Verdict));
        },
        iter: 60, threads: 1);

    [Fact]
    public void A_threshold_of_its_own_decides_the_verdict_and_a_refusal_follows()
    {
        var (above, below) = (0, 0);
        Cases.Sample(
            sample =>
            {
                var program = Run(sample.Policy, sample.Conversation, TraceLevel.Brief);
                foreach (var (check, score) in program.Trace.RuleChecks.Zip(program.RuleScores))
                {
                    Assert.True(sample.Policy.TryGetRule(check.Rule, out var rule));
                    if (rule.Threshold is not { } threshold) continue;
                    Assert.Equal(score >= threshold, check.Verdict == Verdict.Violated);
                    if (score < threshold) below++;
                    else above++;
                    if (score >= threshold && rule is { Decides: true, Effect: RuleEffect.Refuse }) Assert.Equal(Decision.Refuse, program.Trace.Path.Decision);
                }
            },
            iter: 150, threads: 1);
        Assert.True(above > 5 && below > 5); // both are seen; how often is chance
    }

    [Fact]
    public void A_rule_that_the_policy_makes_stricter_is_refused_and_one_that_it_makes_milder_is_not() => Conversations.Sample(
        conversation =>
        {
            var program = Run(PolicyReader.Default, conversation, TraceLevel.Brief);
            var violated = program.Trace.RuleChecks.Where(c => c.Verdict == Verdict.Violated).Select(c => c.Rule).ToArray();
            if (violated.Length == 0) return;
            var mild = violated.Aggregate(PolicyReader.Default, (p, rule) => PolicyVariants.With(p, rule, r => r with { Effect = RuleEffect.Care }));
            var strict = violated.Aggregate(PolicyReader.Default, (p, rule) => PolicyVariants.With(p, rule, r => r with { Effect = RuleEffect.Refuse, Threshold = 0.01 }));

            Assert.NotEqual(Decision.Refuse, Run(mild, conversation, TraceLevel.Brief).Trace.Path.Decision);
            Assert.Equal(Decision.Refuse, Run(strict, conversation, TraceLevel.Brief).Trace.Path.Decision);
        },
        iter: 60, threads: 1);

    [Fact]
    public void A_low_threshold_has_rules_checked_that_would_not_be()
    {
        var calibration = Spread with { CheckThreshold = 0.5 };
        var policy = PolicyVariants.With(PolicyReader.Default, "S1.1", r => r with { Threshold = 0.01 });
        var skipped = 0;
        Conversations.Sample(
            conversation =>
            {
                var whole = Run(PolicyReader.Default, conversation, TraceLevel.Brief, calibration);
                if (whole.Trace.RuleChecks.Count > 0 || whole.Scores.Refuse < 0.01) return;
                skipped++;
                Assert.NotEmpty(Run(policy, conversation, TraceLevel.Brief, calibration).Trace.RuleChecks);
            },
            iter: 300, threads: 1);
        Assert.True(skipped > 0);
    }

    private static Rule WithoutMonitoring(Rule rule) => rule.Enforcement == Enforcement.Monitor ? rule with { Enforcement = Enforcement.Off } : rule;

    private TraceProgram Run(Policy policy, Conversation conversation, TraceLevel level, Calibration? calibration = null)
    {
        var compiled = new CompiledPolicy(policy, Tokens, maxPromptTokens: 1024);
        var program = new TraceProgram(compiled, calibration ?? Spread, conversation, Tokens.Template.Render(conversation), level, lexical: 0, null);
        _engine.RunAsync(program, CancellationToken.None).GetAwaiter().GetResult();
        return program;
    }
}
