using CsCheck;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Reasoning.Tests.Tokens;

public sealed class TextSplitterTests
{
    [Fact]
    public void Pieces_cover_the_text_and_never_cut_a_character() => Gen.String.Array[0, 9].Select(p => string.Concat(p)).Sample(text =>
    {
        var previous = 0;
        foreach (var end in Ends(text))
        {
            Assert.True(end > previous);
            Assert.False(end < text.Length && char.IsSurrogatePair(text[end - 1], text[end]));
            previous = end;
        }

        Assert.Equal(text.Length, previous);
    });

    [Theory]
    [InlineData("x", 1)]
    [InlineData(" ", 1)]
    [InlineData("!", 1)]
    [InlineData("😀", 2)]
    [InlineData("𠀀", 2)]
    public void A_long_run_is_cut_so_that_merging_stays_linear(string character, int length)
    {
        var ends = Ends(string.Concat(Enumerable.Repeat(character, 1000)));
        Assert.Equal([256, 512, 768, 1000], ends.Select(end => end / length));
    }

    [Theory]
    [InlineData("𝒜𝒷c", 1)]
    [InlineData("𝟘1²", 1)]
    [InlineData("a𝟘", 2)]
    [InlineData("a😀", 2)]
    [InlineData("😀!", 1)]
    public void Characters_beyond_the_basic_plane_are_letters_numbers_or_symbols(string text, int pieces) => Assert.Equal(pieces, Ends(text).Count);

    [Fact]
    public void Only_known_patterns_are_accepted() => Assert.False(TextSplitter.TryOfPattern("(a+)+$", out _));

    private static List<int> Ends(string text)
    {
        var ends = new List<int>();
        TextSplitter.Gpt2.Split(text, ends);
        return ends;
    }
}
