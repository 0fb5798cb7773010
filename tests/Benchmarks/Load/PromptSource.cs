using System.Globalization;
using System.Text;

namespace SaferGuard.Benchmarks.Load;

/// <summary>Prompts of common words, about one token each. No two are the same, so that none is found in a cache by accident.</summary>
internal sealed class PromptSource
{
    private static readonly string[] Words =
        ("how can you help me with this question about my work and the people who will read it before we send our plan to them because there are "
        + "some new things that need more time than one day if they want to make good use of what was found at home last year").Split(' ');

    private int _count;

    public string Next(int words)
    {
        var number = Interlocked.Increment(ref _count);
        var random = new Random(number);
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{number}:");
        for (var i = 1; i < words; i++) text.Append(' ').Append(Words[random.Next(Words.Length)]);
        return text.Append('?').ToString();
    }
}
