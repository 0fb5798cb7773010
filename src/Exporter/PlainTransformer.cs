using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Exporter;

/// <summary>
/// The forward pass of a checkpoint as the papers state it, in double precision, one whole sequence at a time, with no cache and no code shared
/// with the graph: slow, and what exported graphs are measured against.
/// </summary>
internal sealed class PlainTransformer(Checkpoint checkpoint)
{
    private readonly ModelConfig _config = checkpoint.Config;

    /// <param name="ngrams">Buckets (tokens, orders); ignored where the model has no n-gram embeddings.</param>
    /// <returns>Logits of every position.</returns>
    public float[][] Forward(ReadOnlySpan<int> tokens, long[] ngrams)
    {
        var x = Embed(tokens.ToArray(), ngrams);
        for (var layer = 0; layer < _config.NumHiddenLayers; layer++)
        {
            x = Sum(x, Attend(layer, Normalise(x, Name(layer, "input_layernorm"))));
            x = Sum(x, FeedForward(layer, Normalise(x, Name(layer, "post_attention_layernorm"))));
        }

        var logits = Multiply(_config.TieWordEmbeddings ? Checkpoint.EmbedTokens : Checkpoint.Head, Normalise(x, Checkpoint.FinalNorm));
        return [.. logits.Select(row => row.Select(l => (float)l).ToArray())];
    }

    private static string Name(int layer, string name) => Checkpoint.LayerTensor(layer, name);

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double[][] Sum(double[][] a, double[][] b) => [.. a.Zip(b, Sum)];

    /// <summary>A matrix times each of the vectors.</summary>
    private double[][] Multiply(string name, double[][] x)
    {
        var weights = checkpoint.Read(name).Data;
        return [.. x.Select(v =>
        {
            var y = new double[weights.Length / v.Length];
            for (var i = 0; i < y.Length; i++)
            {
                var row = weights.AsSpan(i * v.Length, v.Length);
                for (var j = 0; j < row.Length; j++) y[i] += row[j] * v[j];
            }

            return y;
        })];
    }

    private double[][] Project(int layer, string name, double[][] x, bool hasBias)
    {
        var y = Multiply(Name(layer, name), x);
        if (!hasBias) return y;
        double[] bias = [.. checkpoint.Read(Checkpoint.LayerBias(layer, name)).Data.Select(b => (double)b)];
        return [.. y.Select(v => Sum(v, bias))];
    }

    private double[][] Embed(int[] tokens, long[] ngrams)
    {
        var table = checkpoint.Read(Checkpoint.EmbedTokens);
        double[][] x = [.. tokens.Select(t => Row(table, t))];
        if (_config.SaferguardNgrams is not { } config) return x;
        table = checkpoint.Read(Checkpoint.NgramEmbed);
        double[][] sums = [.. ngrams.Chunk(config.Orders).Select(buckets => buckets.Select(b => Row(table, b)).Aggregate(Sum))];
        return Sum(x, Multiply(Checkpoint.NgramProjection, sums));
    }

    private static double[] Row(Tensor table, long row)
    {
        var columns = (int)table.Shape[1];
        return [.. table.Data.AsSpan((int)row * columns, columns).ToArray().Select(v => (double)v)];
    }

    private double[][] Normalise(double[][] x, string name)
    {
        var weights = checkpoint.Read(name).Data;
        return [.. x.Select(v => Normalise(v, weights))];
    }

    private double[] Normalise(double[] x, float[] weights)
    {
        var scale = 1 / Math.Sqrt(x.Average(v => v * v) + _config.RmsNormEps);
        return [.. x.Zip(weights, (v, w) => v * scale * w)];
    }

    private double[][] Attend(int layer, double[][] x)
    {
        var size = _config.HeadSize;
        var group = _config.NumAttentionHeads / _config.NumKeyValueHeads;
        var queries = Heads(layer, "q", x).Select(Rotate).ToArray();
        var keys = Heads(layer, "k", x).Select(Rotate).ToArray();
        var values = Heads(layer, "v", x);
        var read = x.Select((_, t) => queries[t].SelectMany((query, head) =>
        {
            // A position sees itself and what lies before it.
            var scores = keys.Take(t + 1).Select(k => query.Zip(k[head / group], (a, b) => a * b).Sum() / Math.Sqrt(size)).ToArray();
            var shares = scores.Select(s => Math.Exp(s - scores.Max())).ToArray();
            var total = shares.Sum();
            return shares.Select((share, s) => values[s][head / group].Select(v => v * share / total).ToArray()).Aggregate(Sum);
        }).ToArray()).ToArray();
        return Project(layer, "self_attn.o_proj", read, _config.AttentionBias);
    }

    /// <summary>Queries, keys or values of every position, head by head; Qwen3 normalises the heads of the first two.</summary>
    private double[][][] Heads(int layer, string part, double[][] x)
    {
        var heads = Project(layer, $"self_attn.{part}_proj", x, _config.HasQueryKeyValueBias).Select(v => v.Chunk(_config.HeadSize).ToArray());
        return part != "v" && _config.HasQueryKeyNorm
            ? [.. heads.Select(h => Normalise(h, Name(layer, $"self_attn.{part}_norm")))]
            : [.. heads];
    }

    /// <summary>Rotary embedding of every head: element i of a head turns with element i + half.</summary>
    private double[][] Rotate(double[][] heads, int position) => [.. heads.Select(head =>
    {
        var half = head.Length / 2;
        var rotated = new double[head.Length];
        for (var i = 0; i < half; i++)
        {
            var angle = position * Frequency(Math.Pow(_config.RopeTheta, -(double)i / half));
            rotated[i] = head[i] * Math.Cos(angle) - head[i + half] * Math.Sin(angle);
            rotated[i + half] = head[i + half] * Math.Cos(angle) + head[i] * Math.Sin(angle);
        }

        return rotated;
    })];

    /// <summary>Llama 3.1's scaling, in the words of its publication: by wavelength.</summary>
    private double Frequency(double frequency)
    {
        if (_config.RopeScaling is not { } scaling) return frequency;
        var wavelength = 2 * Math.PI / frequency;
        double longest = scaling.OriginalMaxPositionEmbeddings / scaling.LowFreqFactor;
        double shortest = scaling.OriginalMaxPositionEmbeddings / scaling.HighFreqFactor;
        if (wavelength < shortest) return frequency;
        if (wavelength > longest) return frequency / scaling.Factor;
        var smooth = (scaling.OriginalMaxPositionEmbeddings / wavelength - scaling.LowFreqFactor) / (scaling.HighFreqFactor - scaling.LowFreqFactor);
        return (1 - smooth) * frequency / scaling.Factor + smooth * frequency;
    }

    private double[][] FeedForward(int layer, double[][] x)
    {
        var gate = Project(layer, "mlp.gate_proj", x, _config.MlpBias);
        var up = Project(layer, "mlp.up_proj", x, _config.MlpBias);
        double[][] inner = [.. gate.Zip(up, (g, u) => g.Zip(u, (a, b) => a / (1 + Math.Exp(-a)) * b).ToArray())];
        return Project(layer, "mlp.down_proj", inner, _config.MlpBias);
    }
}
