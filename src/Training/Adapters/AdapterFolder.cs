using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Training.Model;
using static TorchSharp.torch;

namespace SaferGuard.Training.Adapters;

/// <summary>An adapter as PEFT writes it: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>, without the weights that it belongs to.</summary>
internal static class AdapterFolder
{
    public const string WeightsFile = "adapter_model.safetensors";

    private const string Prefix = "base_model.model.";
    private const int MaxListedErrors = 16;

    /// <param name="baseModel">Folder or name of the adapted model.</param>
    public static void Save(Decoder decoder, string folder, string baseModel)
    {
        var adaptation = decoder.Adaptation ?? throw new InvalidOperationException("The decoder is not adapted.");
        string[] tables = decoder.Config.TieWordEmbeddings ? ["embed_tokens"] : ["embed_tokens", "lm_head"];
        File.WriteAllText(Path.Combine(folder, AdapterConfig.FileName), AdapterConfig.ToJson(adaptation, tables, baseModel));
        SafeTensors.Write(
            Path.Combine(folder, WeightsFile),
            [.. decoder.Trained().Select(p => (Prefix + p.Name, p.Parameter.shape, p.Parameter.cpu().data<float>().ToArray()))]);
    }

    /// <summary>Adapts a decoder with what a folder holds.</summary>
    /// <exception cref="InvalidDataException">The folder holds no adapter for this decoder; the message says why.</exception>
    public static void Load(Decoder decoder, string folder)
    {
        var config = AdapterConfig.Read(folder);
        var path = Path.Combine(folder, WeightsFile);
        if (!File.Exists(path)) throw new InvalidDataException($"{folder} is no adapter: it has no {WeightsFile}.");
        var tensors = SafeTensors.Read(path);
        var lora = new LoraOptions { Rank = config.Rank, Alpha = config.Alpha, Dropout = 0, Targets = TargetsOf(tensors) };
        if (config.Tokens.Any(t => t < 0 || t >= decoder.Config.VocabSize)) throw new InvalidDataException($"{AdapterConfig.FileName}: a trained token is not in the vocabulary.");
        if (lora.Errors().ToList() is { Count: > 0 } wrong) throw new InvalidDataException($"{WeightsFile}: {string.Join("; ", wrong)}");

        decoder.Adapt(new Adaptation(lora, config.Tokens));
        var trained = decoder.Trained().ToDictionary(p => Prefix + p.Name, p => p.Parameter);
        var errors = tensors.Names.Except(trained.Keys).Select(n => $"{n} is unexpected")
            .Concat(trained.Where(p => !tensors.TryGet(p.Key, out var t) || !t.Shape.AsSpan().SequenceEqual(p.Value.shape))
                .Select(p => $"{p.Key} is missing or is not [{string.Join(", ", p.Value.shape)}]"))
            .Take(MaxListedErrors).ToList();
        if (errors.Count > 0) throw new InvalidDataException($"{WeightsFile}: {string.Join("; ", errors)}");

        using var _ = no_grad();
        foreach (var (name, parameter) in trained)
        {
            using var values = tensor(tensors[name].Data, tensors[name].Shape);
            parameter.copy_(values);
        }
    }

    /// <summary>The projections that the tensors are for: "….q_proj.lora_A.weight" is for q_proj.</summary>
    private static string TargetsOf(SafeTensors tensors) =>
        string.Join(',', tensors.Names.Select(n => n.Split('.')).Where(p => p.Length > 2 && p[^2] == "lora_A").Select(p => p[^3]).Distinct().Order(StringComparer.Ordinal));
}
