using CsCheck;
using SaferGuard.Api.Conversations;

namespace SaferGuard.Api.Tests.Conversations;

public sealed class HeldTextTests
{
    private static readonly Gen<(int Characters, int Overlap)> s_sizes =
        Gen.Int[4, 40].SelectMany(characters => Gen.Int[0, characters / 2].Select(overlap => (characters, overlap)));

    private static readonly Gen<string[]> s_pieces =
        Gen.OneOf(Gen.String[Gen.Char['a', 'z'], 0, 30], Gen.Const("🙂🙃"), Gen.Const("\ud83d"), Gen.Const("\ude42")).Array[0, 12];

    [Fact]
    public void What_is_released_adds_up_to_what_came() => Gen.Select(s_sizes, s_pieces).Sample((sizes, pieces) =>
    {
        Assert.Equal(string.Concat(pieces), string.Concat(Run(sizes, pieces).Select(step => step.Released)));
    });

    [Fact]
    public void No_phrase_up_to_the_overlap_begins_to_leave_before_it_was_judged_as_a_whole() => Gen.Select(s_sizes, s_pieces).Sample((sizes, pieces) =>
    {
        var text = string.Concat(pieces);
        var steps = Run(sizes, pieces).ToList();
        var left = 0;
        for (var i = 0; i < steps.Count; i++)
        {
            for (var start = left; start < left + steps[i].Released.Length; start++)
            {
                var end = Math.Min(start + sizes.Overlap, text.Length);
                Assert.Contains(steps.Take(i + 1), step => step.Window.Start <= start && end <= step.Window.Start + step.Window.Text.Length);
            }

            left += steps[i].Released.Length;
        }
    });

    [Fact]
    public void Every_window_is_what_stands_there_and_no_larger_than_it_may_be() => Gen.Select(s_sizes, s_pieces).Sample((sizes, pieces) =>
    {
        var text = string.Concat(pieces);
        Assert.All(Run(sizes, pieces), step =>
        {
            Assert.InRange(step.Window.Text.Length, 1, sizes.Characters);
            Assert.Equal(text.Substring(step.Window.Start, step.Window.Text.Length), step.Window.Text);
        });
    });

    [Fact]
    public void No_surrogate_pair_is_cut_apart() => Gen.Select(s_sizes, Gen.Int[0, 60]).Sample((sizes, count) =>
    {
        Assert.All(Run(sizes, [string.Concat(Enumerable.Repeat("🙂", count))]), step => Assert.False(char.IsLowSurrogate(step.Released[0])));
    });

    [Fact]
    public void Less_than_a_window_and_a_piece_is_held() => Gen.Select(s_sizes, s_pieces).Sample((sizes, pieces) =>
    {
        var held = new HeldText(sizes.Characters, sizes.Overlap);
        foreach (var piece in pieces)
        {
            held.Append(piece);
            while (held.Next(ended: false) is { } window) held.Release(window);
            Assert.InRange(held.Length, 0, sizes.Characters);
        }
    });

    private static IEnumerable<(TextWindow Window, string Released)> Run((int Characters, int Overlap) sizes, string[] pieces)
    {
        var held = new HeldText(sizes.Characters, sizes.Overlap);
        foreach (var piece in pieces)
        {
            held.Append(piece);
            while (held.Next(ended: false) is { } window) yield return (window, held.Release(window));
        }

        while (held.Next(ended: true) is { } window) yield return (window, held.Release(window));
    }
}
