using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Reasoning.Tests.Checkpoints;

public sealed class ModelConfigTests
{
    private static readonly RopeScaling Llama3 = new(32, 1, 4, 8192);

    public static TheoryData<string> Published =>
    [
        HuggingFaceConfigs.Llama32, HuggingFaceConfigs.Llama32RopeParameters, HuggingFaceConfigs.SmolLM2, HuggingFaceConfigs.Mistral01,
        HuggingFaceConfigs.MistralNemo, HuggingFaceConfigs.Qwen25, HuggingFaceConfigs.Qwen3,
    ];

    [Theory]
    [MemberData(nameof(Published))]
    public void A_published_configuration_is_read_and_written_back(string json)
    {
        var config = ModelConfig.Parse(json);
        Assert.Equal(config, ModelConfig.Parse(config.ToJson()));
    }

    [Fact]
    public void What_makes_an_architecture_is_known()
    {
        var (llama, smol) = (ModelConfig.Parse(HuggingFaceConfigs.Llama32), ModelConfig.Parse(HuggingFaceConfigs.SmolLM2));
        var (mistral, nemo) = (ModelConfig.Parse(HuggingFaceConfigs.Mistral01), ModelConfig.Parse(HuggingFaceConfigs.MistralNemo));
        var (qwen2, qwen3) = (ModelConfig.Parse(HuggingFaceConfigs.Qwen25), ModelConfig.Parse(HuggingFaceConfigs.Qwen3));
        Assert.Equal((Llama3, 500000f, true), (llama.RopeScaling, llama.RopeTheta, llama.TieWordEmbeddings));
        Assert.Equal((null, 100000f, true), (smol.RopeScaling, smol.RopeTheta, smol.TieWordEmbeddings));
        Assert.Equal((128, false), (nemo.HeadSize, nemo.TieWordEmbeddings));
        Assert.Equal((true, false, false), (qwen2.HasQueryKeyValueBias, qwen2.AttentionBias, qwen2.HasQueryKeyNorm));
        Assert.Equal((false, true, 128), (qwen3.HasQueryKeyValueBias, qwen3.HasQueryKeyNorm, qwen3.HeadSize));
        Assert.All([llama, smol, mistral, nemo], c => Assert.False(c.HasQueryKeyValueBias || c.HasQueryKeyNorm));
    }

    [Fact]
    public void Rope_parameters_say_what_two_fields_said_before() => Assert.Equal(
        ModelConfig.Parse(HuggingFaceConfigs.Llama32), ModelConfig.Parse(HuggingFaceConfigs.Llama32RopeParameters));

    [Theory]
    [InlineData("""{"rope_type": "default"}""")]
    [InlineData("""{"type": "default"}""")]
    [InlineData("null")]
    public void A_scaling_that_scales_nothing_is_none(string scaling) => Assert.Null(
        ModelConfig.Parse(HuggingFaceConfigs.Qwen3.Replace("\"rope_scaling\": null", $"\"rope_scaling\": {scaling}")).RopeScaling);

    [Fact]
    public void A_window_bounds_the_positions()
    {
        Assert.Equal(4096, ModelConfig.Parse(HuggingFaceConfigs.Mistral01).MaxPositions);
        Assert.Equal(131072, ModelConfig.Parse(HuggingFaceConfigs.MistralNemo).MaxPositions);
        var qwen = HuggingFaceConfigs.Qwen25.Replace("\"sliding_window\": 32768", "\"sliding_window\": 1000");
        Assert.Equal(32768, ModelConfig.Parse(qwen).MaxPositions);
        Assert.Equal(1000, ModelConfig.Parse(qwen.Replace("\"use_sliding_window\": false", "\"use_sliding_window\": true")).MaxPositions);
    }

    [Theory]
    [InlineData("\"model_type\": \"qwen3\"", "\"model_type\": \"gemma\"", "model_type 'gemma'")]
    [InlineData("\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", "hidden_act 'gelu'")]
    [InlineData("\"rope_scaling\": null", "\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4.0}", "rope_type 'yarn'")]
    [InlineData("\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2.0}", "rope_type 'linear'")]
    [InlineData("\"rope_scaling\": null", "\"rope_scaling\": {\"rope_type\": \"default\", \"factor\": 2.0}", "factor mean nothing")]
    [InlineData("\"rope_scaling\": null", "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0}", "low_freq_factor")]
    [InlineData("\"rope_scaling\": null", "\"rope_scaling\": {}", "rope_type ''")]
    [InlineData("\"rope_scaling\": null", "\"rope_scaling\": 3", "rope_scaling is no object")]
    [InlineData("\"use_sliding_window\": false", "\"use_sliding_window\": 1", "use_sliding_window must be")]
    [InlineData("\"rope_scaling\": null", "\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 7}", "stands beside")]
    [InlineData("\"rope_theta\": 1000000", "\"rope_parameters\": {\"rope_type\": \"default\"}", "has no rope_theta")]
    [InlineData("\"rope_theta\": 1000000", "\"rope_theta\": 1", "rope_theta must be above 1")]
    [InlineData("[\"full_attention\", \"full_attention\"]", "[\"full_attention\", \"sliding_attention\"]", "layer_types has others")]
    [InlineData("\"head_dim\": 128", "\"head_dim\": 127", "head_dim must be even")]
    [InlineData("\"head_dim\": 128,", "", "head_dim is missing")]
    [InlineData("\"num_key_value_heads\": 8", "\"num_key_value_heads\": 3", "multiple of num_key_value_heads")]
    [InlineData("\"use_sliding_window\": false", "\"use_sliding_window\": true", "use_sliding_window needs sliding_window")]
    [InlineData("\"use_cache\": true", "\"quantization_config\": {\"bits\": 4}", "quantization_config is not supported")]
    [InlineData("\"use_cache\": true", "\"mlp_bias\": true", "mlp_bias is not supported for qwen3")]
    [InlineData("\"vocab_size\": 151936", "\"vocab_size\": 0", "vocab_size is 0")]
    [InlineData("\"vocab_size\": 151936", "\"vocab_size\": 1, \"vocab_size\": 2", "vocab_size")]
    [InlineData("\"hidden_size\": 1024", "\"hidden_size\": \"wide\"", "hidden_size")]
    public void What_would_change_the_arithmetic_is_refused_by_name(string field, string other, string reason)
    {
        Assert.Contains(field, HuggingFaceConfigs.Qwen3);
        var json = HuggingFaceConfigs.Qwen3.Replace(field, other);
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => ModelConfig.Parse(json)).Message);
    }

    [Fact]
    public void Every_wrong_field_is_named_at_once()
    {
        var json = HuggingFaceConfigs.SmolLM2
            .Replace("\"rope_interleaved\": false", "\"rope_interleaved\": true").Replace("\"use_cache\"", "\"logit_scale\"")
            .Replace("\"num_hidden_layers\": 30", "\"num_hidden_layers\": -1").Replace("\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"yarn\"}");
        var error = Assert.Throws<InvalidDataException>(() => ModelConfig.Parse(json)).Message;
        Assert.All(["rope_interleaved", "logit_scale", "num_hidden_layers is -1", "'yarn'"], part => Assert.Contains(part, error));
    }

    [Fact]
    public void A_mistral_must_say_whether_it_has_a_window() => Assert.Contains("sliding_window is missing", Assert.Throws<InvalidDataException>(
        () => ModelConfig.Parse(HuggingFaceConfigs.MistralNemo.Replace("\"sliding_window\": null, ", ""))).Message);

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"model_type\": 3}")]
    [InlineData("{\"model_type\": \"\\ud800\"}")]
    public void What_is_no_configuration_is_refused(string json) => Assert.Throws<InvalidDataException>(() => ModelConfig.Parse(json));
}
