using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Data;
using SaferGuard.Training.Evaluation;
using SaferGuard.Training.Lexical;

namespace SaferGuard.Training.Tests.Lexical;

public class LexicalTrainerTests
{
    private static readonly LabelledRow[] Rows = [.. Enumerable.Range(0, 200).Select(i => Row($"please {(i % 2 == 0 ? "poison" : "water")} item {i}", i % 2 == 0))];

    [Fact]
    public void Words_that_stand_for_harm_carry_over_to_new_texts()
    {
        var prior = LexicalTrainer.Train(Rows);
        Assert.True(prior.LogOdds(Conversation.OfPrompt("poison the well")) > 1);
        Assert.True(prior.LogOdds(Conversation.OfPrompt("water the flowers")) < -1);
    }

    [Fact]
    public void The_same_rows_give_the_same_prior() =>
        Assert.Equal(LexicalTrainer.Train(Rows).Weights, LexicalTrainer.Train(Rows).Weights);

    private static LabelledRow Row(string text, bool isHarmful) =>
        new(text, "test", "train", isHarmful ? Label.Harmful : Label.Benign, 1, Conversation.OfPrompt(text), null);
}
