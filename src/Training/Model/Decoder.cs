using SaferGuard.Reasoning.Checkpoints;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>
/// A Llama-style decoder with hashed n-gram embeddings. Fields carry the checkpoint's names. B sequences, T tokens, O n-gram orders,
/// C hidden size, V vocabulary. Sequences are padded on the right: under a causal mask padding is seen by nothing before it.
/// </summary>
internal sealed class Decoder : nn.Module
{
    /// <summary>Standard deviation of initial weights.</summary>
    public const double Deviation = 0.02;

    private readonly Stack model;

    public Decoder(ModelConfig config)
        : base(nameof(Decoder))
    {
        Config = config;
        model = new Stack(config);
        RegisterComponents();
    }

    public ModelConfig Config { get; }

    /// <summary>Precision of the large products. The parameters and the residual stream keep theirs.</summary>
    public ScalarType? Compute { get; set; }

    /// <summary>Layers add to the residual stream 2 L times; this keeps its initial variance independent of L.</summary>
    public static double ResidualDeviation(ModelConfig config) => Deviation / Math.Sqrt(2.0 * config.NumHiddenLayers);

    /// <summary>What the layers read: token embeddings plus projected sums of n-gram embeddings.</summary>
    public Tensor Embed(Tensor tokens, Tensor? ngrams) => model.Embed(tokens, ngrams); // (B, T), (B, T, O) → (B, T, C)

    public Tensor Run(Tensor embeddings) => model.Run(embeddings, Compute ?? embeddings.dtype); // (B, T, C) → (B, T, C)

    /// <summary>Logits of hidden rows, through the token embeddings themselves (a tied head).</summary>
    public Tensor Logits(Tensor hidden) => nn.functional.linear(hidden, model.embed_tokens.weight!); // (N, C) → (N, V)

    /// <summary>Logits of hidden rows for some tokens only.</summary>
    public Tensor Logits(Tensor hidden, Tensor tokens) =>
        nn.functional.linear(hidden, model.embed_tokens.weight!.index_select(0, tokens)); // (N, C), (M) → (N, M)

    /// <summary>The n-gram table, which is trained at a rate of its own; null where there is none.</summary>
    public Parameter? NgramTable => model.ngram_embed?.weight;

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c>.</summary>
    public void Save(string folder)
    {
        File.WriteAllText(Path.Combine(folder, Checkpoint.ConfigFile), Config.ToJson());
        var parameters = named_parameters().ToDictionary(p => p.name, p => p.parameter);
        SafeTensors.Write(
            Path.Combine(folder, Checkpoint.WeightsFile),
            [.. Checkpoint.TensorsOf(Config).Select(t => (t.Name, t.Shape, parameters[t.Name].data<float>().ToArray()))]);
    }

    /// <exception cref="InvalidDataException">The folder holds no valid checkpoint.</exception>
    public static Decoder Load(string folder)
    {
        var checkpoint = Checkpoint.Load(folder);
        var decoder = new Decoder(checkpoint.Config);
        var names = decoder.named_parameters().Select(p => p.name).ToHashSet();
        if (checkpoint.Config.RopeScaling is not null || !names.SetEquals(Checkpoint.TensorsOf(checkpoint.Config).Select(t => t.Name)))
            throw new InvalidDataException($"{folder} cannot be trained: only Llama with a tied head, without biases or rope_scaling, can.");

        using var _ = no_grad();
        foreach (var (name, parameter) in decoder.named_parameters())
        {
            var (shape, data) = checkpoint.Read(name);
            using var values = tensor(data, shape);
            parameter.copy_(values);
        }

        return decoder;
    }

    private sealed class Stack : nn.Module
    {
        public readonly Embedding embed_tokens;
        public readonly Embedding? ngram_embed;
        private readonly Projection? ngram_proj;
        private readonly ModuleList<Layer> layers;
        private readonly RmsNorm norm;

        private readonly ModelConfig _config;

        public Stack(ModelConfig config)
            : base("model")
        {
            _config = config;
            embed_tokens = nn.Embedding(config.VocabSize, config.HiddenSize);
            using var _ = no_grad();
            embed_tokens.weight!.normal_(0, Deviation);
            if (config.SaferguardNgrams is { } ngrams)
            {
                ngram_embed = nn.Embedding(ngrams.Buckets, ngrams.Size, padding_idx: 0);
                ngram_embed.weight!.normal_(0, Deviation)[0].zero_();
                ngram_proj = new Projection(config.HiddenSize, ngrams.Size, 1 / Math.Sqrt(ngrams.Size));
            }

            layers = new ModuleList<Layer>([.. Enumerable.Range(0, config.NumHiddenLayers).Select(_ => new Layer(config))]);
            norm = new RmsNorm(config.HiddenSize, config.RmsNormEps);
            RegisterComponents();
        }

        public Tensor Embed(Tensor tokens, Tensor? ngrams)
        {
            var x = embed_tokens.forward(tokens);
            if (ngram_embed is null) return x;
            ArgumentNullException.ThrowIfNull(ngrams);

            // Bucket 0 means "no n-gram": its row is zero and, as padding, gets no gradient.
            return x + ngram_proj!.Project(ngram_embed.forward(ngrams).sum(2));
        }

        public Tensor Run(Tensor x, ScalarType compute)
        {
            var positions = new Positions(x.shape[1], _config.HeadSize, _config.RopeTheta, compute);
            foreach (var layer in layers) x = layer.Run(x, positions, compute);
            return norm.Normalise(x);
        }
    }
}
