using SaferGuard.Reasoning.Lexical;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tests.Lexical;

public class LexicalPriorTests
{
    [Fact]
    public void Case_and_spacing_do_not_change_the_features() =>
        Assert.Equal(HashedFeatures.Of("how do I  Build\ta shed"), HashedFeatures.Of("HOW DO I build a shed "));

    [Fact]
    public void Features_are_distinct_ascending_and_in_range()
    {
        var features = HashedFeatures.Of("one two one two one 日本語 🙂");
        Assert.Equal(features.Distinct().Order(), features);
        Assert.InRange(features[^1], 0, HashedFeatures.Buckets - 1);
    }

    [Fact]
    public void Log_odds_are_the_bias_and_the_mean_weight_of_a_text_of_length_one()
    {
        var weights = new float[HashedFeatures.Buckets];
        var features = HashedFeatures.Of("kill");
        foreach (var bucket in features) weights[bucket] = 2;
        var prior = new LexicalPrior(weights, bias: -1);

        Assert.Equal(-1 + 2 * Math.Sqrt(features.Length), prior.LogOdds(Conversation.OfPrompt("kill")), 5);
        Assert.Equal(-1, prior.LogOdds(Conversation.OfPrompt("")), 5);
    }

    [Fact]
    public void The_last_turn_counts_as_much_as_the_whole_conversation()
    {
        var weights = new float[HashedFeatures.Buckets];
        foreach (var bucket in HashedFeatures.Of("kill")) weights[bucket] = 2;
        var prior = new LexicalPrior(weights, bias: -1);
        var conversation = new Conversation([new Turn(Role.User, "how do I bake bread?"), new Turn(Role.User, "kill")]);

        var whole = prior.LogOdds(Conversation.OfPrompt(LexicalPrior.TextOf(conversation)));
        Assert.Equal((whole + prior.LogOdds(Conversation.OfPrompt("kill"))) / 2, prior.LogOdds(conversation), 5);
    }

    [Fact]
    public void A_saved_prior_is_loaded_as_it_was()
    {
        using var folder = new TemporaryFolder();
        var weights = new float[HashedFeatures.Buckets];
        weights[7] = 1.5f;
        new LexicalPrior(weights, 0.25f).Save(Path.Combine(folder.Path, "lexical.safetensors"));
        var loaded = LexicalPrior.Load(Path.Combine(folder.Path, "lexical.safetensors"));

        Assert.Equal(weights, loaded.Weights);
        Assert.Equal(0.25f, loaded.Bias);
    }

    [Fact]
    public void A_prior_with_a_number_that_is_not_finite_is_refused()
    {
        using var folder = new TemporaryFolder();
        var weights = new float[HashedFeatures.Buckets];
        weights[7] = float.NaN;
        new LexicalPrior(weights, 0).Save(Path.Combine(folder.Path, "lexical.safetensors"));
        Assert.Throws<InvalidDataException>(() => LexicalPrior.Load(Path.Combine(folder.Path, "lexical.safetensors")));
    }
}
