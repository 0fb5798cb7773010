using SaferGuard.Reasoning.Tokens;
using static TorchSharp.torch;

namespace SaferGuard.Training.Sft;

/// <summary>Positions in the flattened batch, b * T + t, that are asked something; N of them.</summary>
/// <param name="Rows">(N)</param>
/// <param name="Targets">(N) token ids.</param>
/// <param name="Questions">(N)</param>
/// <param name="Weights">(N) weight within the question times the example's share of the batch.</param>
internal sealed record AskedRows(Tensor Rows, Tensor Targets, Tensor Questions, Tensor Weights);

/// <summary>Examples as tensors, padded on the right: B examples, T tokens, O n-gram orders.</summary>
/// <param name="Tokens">(B, T)</param>
/// <param name="Ngrams">(B, T, O); null for models without n-gram embeddings.</param>
/// <param name="PromptShares">(B, T) 1 / length of the prompt at its tokens, 0 elsewhere.</param>
/// <param name="Refuses">(B) 1 or 0.</param>
/// <param name="Shares">(B) each example's share of the batch; they sum to 1.</param>
/// <param name="Choices">What is chosen among a few tokens.</param>
/// <param name="Texts">What is chosen among all tokens.</param>
/// <param name="TokenCount">Tokens without padding.</param>
internal sealed record SftBatch(
    Tensor Tokens, Tensor? Ngrams, Tensor PromptShares, Tensor Refuses, Tensor Shares, AskedRows Choices, AskedRows Texts, int TokenCount)
{
    /// <summary>B, T, and how many choices and text tokens are asked.</summary>
    public IReadOnlyList<int> Shape => [(int)Tokens.shape[0], (int)Tokens.shape[1], (int)Choices.Rows.shape[0], (int)Texts.Rows.shape[0]];

    public static SftBatch Of(IReadOnlyList<SftExample> examples, WordNgrams? ngrams)
    {
        var (b, t) = (examples.Count, examples.Max(e => e.Tokens.Length));
        var orders = ngrams?.Orders ?? 0;
        var (tokens, buckets) = (new long[b * t], new long[b * t * orders]);
        var (promptShares, refuses, shares) = (new float[b * t], new float[b], new float[b]);
        var total = examples.Sum(e => e.Weight);
        for (var i = 0; i < b; i++)
        {
            var example = examples[i];
            for (var j = 0; j < example.Tokens.Length; j++) tokens[i * t + j] = example.Tokens[j];
            ngrams?.Of(example.Tokens).CopyTo(buckets, i * t * orders);
            promptShares.AsSpan(i * t, example.PromptLength).Fill(1f / example.PromptLength);
            refuses[i] = example.Refuses ? 1 : 0;
            shares[i] = example.Weight / total;
        }

        var asked = examples.SelectMany((e, i) => e.Targets.Select(q => (Row: (long)i * t + q.Position, Target: q, Share: shares[i]))).ToList();
        return new SftBatch(
            tensor(tokens, [b, t]),
            ngrams is null ? null : tensor(buckets, [b, t, orders]),
            tensor(promptShares, [b, t]),
            tensor(refuses),
            tensor(shares),
            Rows(asked.Where(a => a.Target.Question != Question.Text)),
            Rows(asked.Where(a => a.Target.Question == Question.Text)),
            examples.Sum(e => e.Tokens.Length));
    }

    private static AskedRows Rows(IEnumerable<(long Row, Target Target, float Share)> asked)
    {
        var rows = asked.ToArray();
        return new AskedRows(
            tensor(Array.ConvertAll(rows, r => r.Row)),
            tensor(Array.ConvertAll(rows, r => (long)r.Target.Token)),
            tensor(Array.ConvertAll(rows, r => (long)r.Target.Question)),
            tensor(Array.ConvertAll(rows, r => r.Target.Weight * r.Share)));
    }
}
