using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Exporter.Tests;

/// <summary>A model that reads the policy and the texts of the rules: most of what it reads is the same for all.</summary>
public sealed class RuleTextTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_policy_is_computed_once_and_the_texts_of_a_category_once_for_each_conversation()
    {
        var checkpoint = TinyCheckpoint.Write(_folder["checkpoint"], TinyCheckpoint.Config() with { MaxPositionEmbeddings = 8192 });
        var bundle = BundleWriter.Write(checkpoint, WeightFormat.Int8, new BundleTraits("reader", ReadsRuleText: true), _folder["bundle"], TimeProvider.System);
        var tokens = new TraceTokens(bundle.Tokenizer, bundle.Policy, readsRuleText: true);
        var policyTokens = tokens.Template.Render(Conversation.OfPrompt("")).Length - 1;
        Assert.True(policyTokens > 200);
        await using var guard = Guard.Load(bundle.Folder, new EngineOptions { CacheTokens = 32_768 });
        await using var bare = Guard.Load(bundle.Folder, new EngineOptions { CacheTokens = 32_768, PrefixCacheTokens = 0 });

        var first = await AssessAsync(guard, "which tea goes well with rain?");
        Assert.Equal(0, first.Usage.Cached);
        var computed = guard.Statistics.ComputedTokens;
        var second = await AssessAsync(guard, "and which cake?");
        Assert.InRange(second.Usage.Cached, policyTokens - 3, second.Usage.Input);
        Assert.Equal(second.Usage.Input - second.Usage.Cached + second.Usage.Trace, guard.Statistics.ComputedTokens - computed);

        // The same conversation chooses the same categories: of their texts only the last part of a block is computed, and the queries.
        computed = guard.Statistics.ComputedTokens;
        var again = await AssessAsync(guard, "and which cake?");
        Assert.NotEmpty(again.Trace.RuleChecks);
        var queries = 2 * again.Trace.RuleChecks.Count + again.Trace.Assessment.Categories.Count;
        Assert.InRange(guard.Statistics.ComputedTokens - computed, queries, queries + again.Trace.RuleChecks.Count + 2 * 16);

        foreach (var (prompt, judgment) in new[] { ("which tea goes well with rain?", first), ("and which cake?", second), ("and which cake?", again) })
        {
            var expected = await AssessAsync(bare, prompt);
            Assert.Equal(expected.Scores, judgment.Scores);
            Assert.Equal(expected.RuleScores, judgment.RuleScores);
        }
    }

    private static Task<Judgment> AssessAsync(Guard guard, string prompt) =>
        guard.AssessAsync(Conversation.OfPrompt(prompt), TraceLevel.Brief, cancellation: TestContext.Current.CancellationToken);
}
