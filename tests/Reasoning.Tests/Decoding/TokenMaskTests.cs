using CsCheck;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Tests.Tokens;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tests.Decoding;

public class TokenMaskTests
{
    private static readonly GuardTokenizer Tokenizer = TokenizerFixture.Tokenizer;
    private static readonly int End = Tokenizer.SpecialId(TraceFormat.End);
    private static readonly TokenMask Answer = TokenMask.Answer(Tokenizer, End);

    private static readonly Gen<float[]> Logits = Gen.Float[-20, 20].Array[Tokenizer.VocabularySize + 3];

    [Fact]
    public void The_likeliest_allowed_token_is_chosen() => Logits.Sample(logits =>
    {
        var expected = Enumerable.Range(0, Tokenizer.VocabularySize).Where(id => id == End || !Tokenizer.IsSpecial(id)).MaxBy(id => logits[id]);
        Assert.Equal(expected, Answer.Likeliest(logits));
    }, iter: 100);

    [Fact]
    public void Tokens_are_drawn_as_often_as_their_probability_says()
    {
        var logits = new float[Tokenizer.VocabularySize];
        Array.Fill(logits, -30);
        var (a, b, special) = (Tokenizer.VocabularySize - 1, Tokenizer.VocabularySize - 600, Tokenizer.SpecialId(TraceFormat.Pad));
        (logits[a], logits[b], logits[special]) = (MathF.Log(0.75f), MathF.Log(0.25f), 30);

        var drawn = Enumerable.Range(0, 1000).Select(i => Answer.Sample(logits, temperature: 1, (i + 0.5) / 1000)).ToList();
        Assert.InRange(drawn.Count(id => id == a), 745, 755);
        Assert.InRange(drawn.Count(id => id == b), 245, 255);

        // At half the temperature the odds are squared: 9 to 1.
        drawn = [.. Enumerable.Range(0, 1000).Select(i => Answer.Sample(logits, temperature: 0.5, (i + 0.5) / 1000))];
        Assert.InRange(drawn.Count(id => id == a), 895, 905);
    }

    [Fact]
    public void A_very_low_temperature_is_greedy() => Logits.Sample(
        logits => Assert.Equal(logits[Answer.Likeliest(logits)], logits[Answer.Sample(logits, temperature: 1e-6, 0.5)], 1e-4), iter: 100);

    [Fact]
    public void Nothing_is_chosen_by_logits_that_are_not_numbers()
    {
        var logits = new float[Tokenizer.VocabularySize];
        Array.Fill(logits, float.NaN);
        Assert.Throws<NotFiniteNumberException>(() => Answer.Likeliest(logits));
        Assert.Throws<NotFiniteNumberException>(() => TokenChoice.Probabilities(logits, [1, 2]));
    }

    [Fact]
    public void A_choice_allocates_nothing()
    {
        var logits = new float[Tokenizer.VocabularySize];
        Choose();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Choose();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Choose()
        {
            Answer.Likeliest(logits);
            Answer.Sample(logits, 0.7, 0.3);
        }
    }
}
