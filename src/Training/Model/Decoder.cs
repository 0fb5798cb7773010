using SaferGuard.Reasoning.Checkpoints;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>
/// A decoder of the Llama family, perhaps with hashed n-gram embeddings. Fields carry the checkpoint's names. B sequences, T tokens, O n-gram
/// orders, C hidden size, V vocabulary. Sequences are padded on the right: under a causal mask padding is seen by nothing before it.
/// </summary>
internal sealed class Decoder : nn.Module
{
    /// <summary>Standard deviation of initial weights.</summary>
    public const double Deviation = 0.02;

    private readonly Stack model;
    private readonly TokenTable? lm_head;

    public Decoder(ModelConfig config)
        : this(config, WeightSource.Chance)
    {
    }

    private Decoder(ModelConfig config, WeightSource source)
        : base(nameof(Decoder))
    {
        Config = config;
        model = new Stack(source.In(nameof(model)), config);
        if (!config.TieWordEmbeddings) lm_head = new TokenTable(source.In(nameof(lm_head)), config.VocabSize, config.HiddenSize);
        RegisterComponents();
    }

    public ModelConfig Config { get; }

    /// <summary>Precision of the large products. The parameters and the residual stream keep theirs.</summary>
    public ScalarType? Compute { get; set; }

    /// <summary>Null where all weights are trained.</summary>
    public Adaptation? Adaptation { get; private set; }

    /// <summary>Layers add to the residual stream 2 L times; this keeps its initial variance independent of L.</summary>
    public static double ResidualDeviation(ModelConfig config) => Deviation / Math.Sqrt(2.0 * config.NumHiddenLayers);

    /// <summary>What the layers read: token embeddings plus projected sums of n-gram embeddings.</summary>
    public Tensor Embed(Tensor tokens, Tensor? ngrams) => model.Embed(tokens, ngrams); // (B, T), (B, T, O) → (B, T, C)

    public Tensor Run(Tensor embeddings) => model.Run(embeddings, Compute ?? embeddings.dtype); // (B, T, C) → (B, T, C)

    /// <summary>Logits of hidden rows.</summary>
    public Tensor Logits(Tensor hidden) => Head.Logits(hidden, Compute ?? hidden.dtype); // (N, C) → (N, V)

    /// <summary>Logits of hidden rows for some tokens only.</summary>
    public Tensor Logits(Tensor hidden, Tensor tokens) => nn.functional.linear(hidden, Head.Rows(tokens)); // (N, C), (M) → (N, M)

    /// <summary>The n-gram table, which is trained at a rate of its own; null where there is none.</summary>
    public Parameter? NgramTable => model.ngram_embed?.weight;

    /// <summary>Freezes every weight and trains adapters beside the projections, and the rows of some tokens, instead.</summary>
    public void Adapt(Adaptation adaptation)
    {
        if (Adaptation is not null) throw new InvalidOperationException("The decoder is adapted already.");
        Adaptation = adaptation;
        foreach (var parameter in parameters()) parameter.requires_grad = false;
        foreach (var (name, module) in named_modules().ToList())
        {
            if (module is Projection projection && adaptation.Lora.Adapts(name)) projection.Adapt(adaptation.Lora);
            if (module is TokenTable table && adaptation.Tokens.Count > 0) table.Adapt(adaptation.Tokens);
        }
    }

    /// <summary>The parameters that are trained, by their names.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> Trained() => named_parameters().Where(p => p.parameter.requires_grad);

    /// <summary>A decoder of the same values that shares the memory of what is frozen.</summary>
    public Decoder Twin()
    {
        var twin = new Decoder(Config, WeightSource.Of(this)) { Compute = Compute };
        if (Adaptation is not null) twin.Adapt(Adaptation);
        twin.CopyTrained(this);
        return twin;
    }

    /// <summary>Takes the values of what is trained from another decoder of the same kind.</summary>
    public void CopyTrained(Decoder other)
    {
        using var _ = no_grad();
        foreach (var ((_, own), (_, values)) in Trained().Zip(other.Trained())) own.copy_(values);
    }

    /// <summary>Writes the values of what is trained, as they are.</summary>
    public void SaveTrained(string path) => save(path, Frozen());

    /// <summary>Reads what <see cref="SaveTrained"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The file lacks some of it.</exception>
    public void LoadTrained(string path)
    {
        var loaded = new Dictionary<string, bool>();
        load(path, strict: false, Frozen(), loaded);
        if (!Trained().All(p => loaded.GetValueOrDefault(p.Name))) throw new InvalidDataException($"{path} is not of this model.");
    }

    /// <summary>Writes <c>config.json</c> and the weights, adapters merged into them.</summary>
    public void Save(string folder)
    {
        File.WriteAllText(Path.Combine(folder, Checkpoint.ConfigFile), Config.ToJson());
        var modules = named_modules().ToDictionary(m => m.name, m => m.module);
        var parameters = named_parameters().ToDictionary(p => p.name, p => p.parameter);
        WeightWriter.Write(folder, Config, name =>
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            var (module, field) = (name[..name.LastIndexOf('.')], name[(name.LastIndexOf('.') + 1)..]);
            var values = (modules[module], field) switch
            {
                (Projection projection, "weight") => projection.Merged(),
                (TokenTable table, _) => table.Merged(),
                _ => parameters[name],
            };
            return values.to(ScalarType.Float32).cpu().data<float>().ToArray();
        });
    }

    /// <param name="matrices">Precision in which matrices are kept. In fewer than 32 bits they can be adapted, not trained.</param>
    /// <exception cref="InvalidDataException">The folder holds no valid checkpoint.</exception>
    public static Decoder Load(string folder, ScalarType matrices = ScalarType.Float32)
    {
        var checkpoint = Checkpoint.Load(folder);
        return new Decoder(checkpoint.Config, WeightSource.Of(checkpoint, matrices));
    }

    private List<string> Frozen() => [.. named_parameters().Where(p => !p.parameter.requires_grad).Select(p => p.name)];

    private TokenTable Head => lm_head ?? model.embed_tokens;

    private sealed class Stack : nn.Module
    {
        public readonly TokenTable embed_tokens;
        public readonly Embedding? ngram_embed;
        private readonly Projection? ngram_proj;
        private readonly ModuleList<Layer> layers;
        private readonly RmsNorm norm;

        private readonly ModelConfig _config;

        public Stack(WeightSource source, ModelConfig config)
            : base("model")
        {
            _config = config;
            embed_tokens = new TokenTable(source.In(nameof(embed_tokens)), config.VocabSize, config.HiddenSize);
            if (config.SaferguardNgrams is { } ngrams)
            {
                using var _ = no_grad();
                using var table = source.In(nameof(ngram_embed)).Matrix("weight", ngrams.Buckets, ngrams.Size, Deviation);
                ngram_embed = nn.Embedding(ngrams.Buckets, ngrams.Size, padding_idx: 0);
                ngram_embed.weight!.copy_(table)[0].zero_();
                ngram_proj = new Projection(source.In(nameof(ngram_proj)), config.HiddenSize, ngrams.Size, 1 / Math.Sqrt(ngrams.Size));
            }

            layers = new ModuleList<Layer>([
                .. Enumerable.Range(0, config.NumHiddenLayers).Select(i => new Layer(source.In($"{nameof(layers)}.{i}"), config)),
            ]);
            norm = new RmsNorm(source.In(nameof(norm)), config.HiddenSize, config.RmsNormEps);
            RegisterComponents();
        }

        public Tensor Embed(Tensor tokens, Tensor? ngrams)
        {
            var x = embed_tokens.Rows(tokens);
            if (ngram_embed is null) return x;
            ArgumentNullException.ThrowIfNull(ngrams);

            // Bucket 0 means "no n-gram": its row is zero and, as padding, gets no gradient.
            return x + ngram_proj!.Project(ngram_embed.forward(ngrams).sum(2));
        }

        public Tensor Run(Tensor x, ScalarType compute)
        {
            var positions = new Positions(x.shape[1], _config, compute);
            foreach (var layer in layers) x = layer.Run(x, positions, compute);
            return norm.Normalise(x);
        }
    }
}
