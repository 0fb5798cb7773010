using System.Globalization;
using System.Text;

namespace SaferGuard.Benchmarks.Load;

/// <summary>Prompts of common words, about one token each; no two are the same, so that none is found in a cache by accident.</summary>
internal static class Prompts
{
    private static readonly string[] Words =
        ("how can you help me with this question about my work and the people who will read it before we send our plan to them because there are "
        + "some new things that need more time than one day if they want to make good use of what was found at home last year").Split(' ');

    /// <param name="seed">The same seed gives the same prompt.</param>
    public static string Of(int words, int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{seed}:");
        for (var i = 0; i < words; i++) text.Append(' ').Append(Words[random.Next(Words.Length)]);
        return text.Append('?').ToString();
    }
}
