using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Tests.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tests.Decoding;

public class TraceTokensTests
{
    [Fact]
    public void A_query_token_stands_behind_each_rule_of_each_chosen_category()
    {
        var tokens = new TraceTokens(TokenizerFixture.Tokenizer, PolicyReader.Default);
        var queries = new List<int>();
        var chunk = tokens.RulesChunk(Risk.High, [5, 2], queries);
        Assert.Equal(8, queries.Count);
        Assert.All(queries, q => Assert.Equal(TokenizerFixture.Tokenizer.SpecialId(TraceFormat.Query), chunk[q]));
        Assert.Equal(1 + 2 * (1 + 4 * 2), chunk.Length);
    }

    [Fact]
    public void Models_that_read_rule_text_get_all_texts_before_the_first_query()
    {
        var (tokenizer, category) = (TokenizerFixture.Tokenizer, PolicyReader.Default.Categories[0]);
        var tokens = new TraceTokens(tokenizer, PolicyReader.Default, readsRuleText: true);
        var queries = new List<int>();
        var chunk = tokens.RulesChunk(Risk.Low, [1], queries);

        Assert.Equal(string.Concat(category.Rules.Select(r => r.Text)), tokenizer.Decode(chunk.AsSpan(0, queries[0])));
        Assert.Equal(queries[0] + 2 * category.Rules.Count - 1, chunk.Length);
        Assert.True(tokens.MaxDecisionTokens > chunk.Length);
    }

    [Fact]
    public void No_category_leads_straight_to_the_path()
    {
        var tokens = new TraceTokens(TokenizerFixture.Tokenizer, PolicyReader.Default);
        var queries = new List<int>();
        var chunk = tokens.RulesChunk(Risk.None, [0], queries);
        Assert.Equal([2], queries);
        Assert.Equal(TokenizerFixture.Tokenizer.SpecialId(TraceFormat.Path), chunk[2]);
    }
}
