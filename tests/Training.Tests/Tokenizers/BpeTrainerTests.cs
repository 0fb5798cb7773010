using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;
using SaferGuard.Training.Tokenizers;

namespace SaferGuard.Training.Tests.Tokenizers;

public sealed class BpeTrainerTests : IDisposable
{
    private static readonly string[] Texts =
    [
        "How do I pick a lock? The lock on my own shed is stuck.", "low lower lowest, new newer newest, wide wider widest",
        "日本語のテキスト 日本語のテスト", "🙂🙂🙂 🙃🙂 👩‍👩‍👧", "aaaaaaaaaaaaaaaaaaaa aaaaaaa", "It's the user's lock; they'll say it isn't.",
        "x = 1234567890; y = 12345; z = 12", "   indented\n\n\tcode  ", "<|refuse|> <|refuse|> <|refuse|>",
    ];

    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".json");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_trained_tokeniser_can_be_loaded_and_gives_every_text_back()
    {
        var tokenizer = Load(Train(600));
        foreach (var text in Texts)
        {
            var spans = new List<TokenSpan>();
            tokenizer.Encode(text, spans);
            Assert.Equal(text, tokenizer.Decode([.. spans.Select(s => s.Id)]));
            Assert.DoesNotContain(spans, s => tokenizer.IsSpecial(s.Id));
        }
    }

    [Fact]
    public void Special_tokens_come_first_in_the_order_of_the_trace_format()
    {
        var tokenizer = Load(Train(400));
        for (var id = 0; id < TraceFormat.SpecialTokens.Count; id++) Assert.Equal(id, tokenizer.SpecialId(TraceFormat.SpecialTokens[id]));
    }

    [Fact]
    public void Merges_are_those_of_a_trainer_that_counts_everything_again_after_each_merge()
    {
        var trained = Train(480);
        Assert.Equal(TrainSlowly(480), trained.Merges.Select(m => (trained.Tokens[m.Left], trained.Tokens[m.Right])));
    }

    [Fact]
    public void Training_segments_its_own_text_as_the_trained_tokeniser_does()
    {
        var tokenizer = Load(BpeTrainer.Train(["abababab abab abab abc abc"], 256 + 4, []));
        var spans = new List<TokenSpan>();
        tokenizer.Encode("abababab", spans);
        Assert.Equal(2, spans.Count);
    }

    [Fact]
    public void A_text_that_spells_a_special_token_never_learns_it()
    {
        var trained = BpeTrainer.Train(Enumerable.Repeat("<||>", 50), 300, ["<||>"]);
        Assert.Single(trained.Tokens, "<||>");
        Assert.False(Load(trained).IsSpecial(trained.Tokens.Count - 1));
    }

    [Fact]
    public void A_small_text_gives_a_smaller_vocabulary_than_asked() => Assert.Equal(257, BpeTrainer.Train(["abab ab"], 300, []).Tokens.Count);

    [Fact]
    public void A_vocabulary_without_room_for_the_bytes_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BpeTrainer.Train(Texts, 256, ["<|pad|>"]));

    private static TrainedTokenizer Train(int size) => BpeTrainer.Train(Texts, size, TraceFormat.SpecialTokens);

    private GuardTokenizer Load(TrainedTokenizer trained)
    {
        trained.Save(_path);
        return GuardTokenizer.Load(_path);
    }

    /// <summary>The definition, on strings. Ties go to the lower ids.</summary>
    private static List<(string, string)> TrainSlowly(int size)
    {
        List<string> tokens = [.. TraceFormat.SpecialTokens, .. Enumerable.Range(0, 256).Select(b => ByteAlphabet.ToToken([(byte)b]))];
        var words = new List<List<string>>();
        foreach (var text in Texts)
        {
            var ends = new List<int>();
            TextSplitter.Gpt2.Split(text, ends);
            words.AddRange(ends.Select((end, i) => text[(i == 0 ? 0 : ends[i - 1])..end])
                .Select(piece => System.Text.Encoding.UTF8.GetBytes(piece).Select(b => ByteAlphabet.ToToken([b])).ToList()));
        }

        var merges = new List<(string, string)>();
        while (tokens.Count < size)
        {
            var best = words.SelectMany(w => w.Zip(w.Skip(1)))
                .GroupBy(p => p)
                .Where(g => g.Count() > 1 && !TraceFormat.SpecialTokens.Contains(g.Key.First + g.Key.Second))
                .OrderByDescending(g => g.Count()).ThenBy(g => tokens.IndexOf(g.Key.First)).ThenBy(g => tokens.IndexOf(g.Key.Second))
                .FirstOrDefault();
            if (best is null) break;
            var (left, right) = best.Key;
            if (!merges.Contains((left, right))) merges.Add((left, right));
            if (!tokens.Contains(left + right)) tokens.Add(left + right);
            foreach (var word in words)
            {
                for (var i = 0; i + 1 < word.Count; i++)
                {
                    if (word[i] != left || word[i + 1] != right) continue;
                    word[i] = left + right;
                    word.RemoveAt(i + 1);
                }
            }
        }

        return merges;
    }
}
