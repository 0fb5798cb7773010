using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace SaferGuard.Training.Tests.Model;

[Collection(nameof(Torch))]
public sealed class DecoderTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Parameters_have_the_names_and_shapes_of_the_checkpoint()
    {
        var decoder = new Decoder(TinyModel.Config);

        Assert.Equal(
            Checkpoint.TensorsOf(TinyModel.Config).Select(t => (t.Name, string.Join(',', t.Shape))).Order(),
            decoder.named_parameters().Select(p => (p.name, string.Join(',', p.parameter.shape))).Order());
        Assert.All(decoder.parameters(), p => Assert.True(p.requires_grad));
    }

    [Fact]
    public void Later_tokens_change_nothing_before_them()
    {
        manual_seed(2);
        var decoder = new Decoder(TinyModel.Config);
        var tokens = randint(0, 40, [1, 9]);
        var ngrams = randint(0, 32, [1, 9, 2]);

        var whole = decoder.Run(decoder.Embed(tokens, ngrams));
        var prefix = decoder.Run(decoder.Embed(tokens.narrow(1, 0, 4), ngrams.narrow(1, 0, 4)));

        Assert.True(allclose(whole.narrow(1, 0, 4), prefix, atol: 1e-6));
    }

    [Fact]
    public void Ngram_rows_are_summed_projected_and_added_and_bucket_0_adds_nothing()
    {
        manual_seed(3);
        var decoder = new Decoder(TinyModel.Config);
        var weights = decoder.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        var token = weights["model.embed_tokens.weight"][7];
        var table = weights["model.ngram_embed.weight"];

        var x = decoder.Embed(tensor(new long[,] { { 7, 7, 7 } }), tensor(new long[,,] { { { 0, 0 }, { 3, 0 }, { 3, 9 } } }));

        var projection = weights["model.ngram_proj.weight"];
        Assert.True(allclose(x[0, 0], token));
        Assert.True(allclose(x[0, 1], token + projection.mv(table[3]), atol: 1e-6));
        Assert.True(allclose(x[0, 2], token + projection.mv(table[3] + table[9]), atol: 1e-6));
    }

    [Fact]
    public void Bucket_0_gets_no_gradient()
    {
        var decoder = new Decoder(TinyModel.Config);

        decoder.Embed(zeros(1, 3, ScalarType.Int64), tensor(new long[,,] { { { 0, 1 }, { 0, 0 }, { 2, 0 } } })).square().sum().backward();

        var gradient = decoder.NgramTable!.grad!.abs().sum(1);
        Assert.Equal(0f, gradient[0].item<float>());
        Assert.True(gradient[1].item<float>() > 0);
    }

    [Fact]
    public void A_saved_model_is_read_back_bit_by_bit()
    {
        using var folder = new TemporaryFolder();
        manual_seed(4);
        var saved = new Decoder(TinyModel.Config);

        saved.Save(folder.Path);
        var loaded = Decoder.Load(folder.Path);

        Assert.Equal(TinyModel.Config, loaded.Config);
        foreach (var (a, b) in saved.named_parameters().Zip(loaded.named_parameters()))
        {
            Assert.Equal(a.name, b.name);
            Assert.Equal(a.parameter.data<float>().ToArray(), b.parameter.data<float>().ToArray());
        }
    }

    [Fact]
    public void Computing_in_bfloat16_changes_the_result_a_little()
    {
        using var _ = no_grad();
        manual_seed(5);
        var decoder = new Decoder(TinyModel.Config);
        foreach (var p in decoder.parameters().Where(p => p.dim() == 2)) p.normal_(0, 0.3);
        var x = decoder.Embed(randint(0, 40, [2, 9]), randint(0, 32, [2, 9, 2]));

        var single = decoder.Run(x);
        decoder.Compute = ScalarType.BFloat16;
        var half = decoder.Run(x);

        Assert.Equal(ScalarType.Float32, half.dtype);
        var difference = (single - half).abs().max().item<float>();
        Assert.InRange(difference, 1e-5f, 0.1f);
    }
}
