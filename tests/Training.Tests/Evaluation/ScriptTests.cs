using SaferGuard.Training.Evaluation;

namespace SaferGuard.Training.Tests.Evaluation;

public sealed class ScriptTests
{
    [Theory]
    [InlineData("Wie backe ich Brot? C'est ça.", "Latin")]
    [InlineData("Как испечь хлеб в Python?", "Cyrillic")]
    [InlineData("كيف أخبز الخبز", "Arabic")]
    [InlineData("ฉันจะอบขนมปังอย่างไร", "Thai")]
    [InlineData("रोटी कैसे बनाएं", "Devanagari")]
    [InlineData("怎么烤面包", "Han")]
    [InlineData("日本語の本を読む", "Japanese")]
    [InlineData("빵을 굽는 방법", "Korean")]
    public void Most_letters_decide_and_it_is_said_to_be_a_guess(string text, string script) =>
        Assert.Equal($"{script} script (guess)", Script.Guess(text));

    [Theory]
    [InlineData("")]
    [InlineData("1 + 1 = ? 🙂 \ud800")]
    public void Text_without_letters_has_no_script(string text) => Assert.Equal("no letters", Script.Guess(text));
}
