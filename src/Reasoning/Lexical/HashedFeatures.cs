using System.Text;

namespace SaferGuard.Reasoning.Lexical;

/// <summary>A bag of hashed word 1–2-grams and character 3–5-grams of the lower-cased text.</summary>
public static class HashedFeatures
{
    public const int Buckets = 1 << 20;

    private const int MaxCharacters = 32768;
    private const int MinCharacterGram = 3;
    private const int MaxCharacterGram = 5;
    private const uint CharacterSeed = 2166136261;
    private const uint WordSeed = 3323198485;

    /// <returns>The distinct buckets that the text falls into, ascending.</returns>
    public static int[] Of(string text)
    {
        var folded = Fold(text);
        var buckets = new HashSet<int>();
        AddCharacterGrams(folded, buckets);
        AddWordGrams(folded, buckets);
        int[] sorted = [.. buckets];
        Array.Sort(sorted);
        return sorted;
    }

    /// <summary>Lower case, with every run of white space as one space, and a space at both ends.</summary>
    private static string Fold(string text)
    {
        var folded = new StringBuilder(" ");
        foreach (var c in text)
        {
            if (folded.Length == MaxCharacters) break;
            if (!char.IsWhiteSpace(c)) folded.Append(char.ToLowerInvariant(c));
            else if (folded[^1] != ' ') folded.Append(' ');
        }

        if (folded[^1] != ' ') folded.Append(' ');
        return folded.ToString();
    }

    private static void AddCharacterGrams(string text, HashSet<int> buckets)
    {
        for (var start = 0; start < text.Length; start++)
        {
            var hash = CharacterSeed;
            for (var length = 1; length <= MaxCharacterGram && start + length <= text.Length; length++)
            {
                hash = Add(hash, text[start + length - 1]);
                if (length >= MinCharacterGram) buckets.Add(Bucket(hash));
            }
        }
    }

    private static void AddWordGrams(string text, HashSet<int> buckets)
    {
        uint previous = 0; // 0 stands for "no word before this one"
        uint current = 0;
        foreach (var c in text)
        {
            if (char.IsLetterOrDigit(c))
            {
                current = Add(current == 0 ? WordSeed : current, c);
            }
            else if (current != 0)
            {
                buckets.Add(Bucket(current));
                if (previous != 0) buckets.Add(Bucket(Add(previous * 31, current)));
                (previous, current) = (current, 0);
            }
        }
    }

    /// <summary>One step of FNV-1a.</summary>
    private static uint Add(uint hash, uint value) => unchecked((hash ^ value) * 16777619);

    private static int Bucket(uint hash)
    {
        unchecked
        {
            // FNV's low bits are weak: mix before cutting.
            hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
            return (int)((hash ^ (hash >> 13)) & (Buckets - 1));
        }
    }
}
