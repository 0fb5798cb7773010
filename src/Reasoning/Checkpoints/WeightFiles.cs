using System.Text.Json;
using System.Text.RegularExpressions;

namespace SaferGuard.Reasoning.Checkpoints;

/// <summary>
/// The weights of a checkpoint folder: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names, which hold
/// exactly the tensors that it says. The index is untrusted: it names files of its own folder or none.
/// </summary>
internal sealed partial class WeightFiles
{
    public const string IndexFile = "model.safetensors.index.json";

    private const int MaxIndexBytes = 16 << 20;
    private const int MaxShards = 1024;
    private const int MaxListedErrors = 32;

    private readonly Dictionary<string, SafeTensorsFile> _files;

    private WeightFiles(Dictionary<string, SafeTensorsFile> files) => _files = files;

    public IReadOnlyCollection<string> Names => _files.Keys;

    /// <summary>The file that holds a tensor, or null.</summary>
    public SafeTensorsFile? FileOf(string name) => _files.GetValueOrDefault(name);

    /// <exception cref="InvalidDataException">A file is missing or contradicts itself or the index; the message says where.</exception>
    public static WeightFiles Open(string folder)
    {
        var single = Path.Combine(folder, Checkpoint.WeightsFile);
        if (File.Exists(single))
        {
            var file = SafeTensorsFile.Open(single);
            return new WeightFiles(file.Names.ToDictionary(n => n, _ => file));
        }

        var index = Path.Combine(folder, IndexFile);
        if (!File.Exists(index)) throw new InvalidDataException($"{folder} is not a checkpoint: it has no {Checkpoint.WeightsFile} and no {IndexFile}.");
        var places = ReadIndex(index);
        var files = new Dictionary<string, SafeTensorsFile>();
        var errors = new List<string>();
        foreach (var shard in places.GroupBy(p => p.Value, p => p.Key).OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            if (!File.Exists(Path.Combine(folder, shard.Key)))
            {
                errors.Add($"{shard.Key} is missing");
                continue;
            }

            var file = SafeTensorsFile.Open(Path.Combine(folder, shard.Key));
            foreach (var name in shard) files.Add(name, file);
            errors.AddRange(shard.Except(file.Names).Select(n => $"{shard.Key} has no {n}"));
            errors.AddRange(file.Names.Except(shard).Select(n => $"{shard.Key} has {n}, which the index does not say"));
        }

        return errors.Count == 0 ? new WeightFiles(files) : throw Refused(string.Join("; ", errors.Take(MaxListedErrors)));
    }

    /// <summary>The shard of each tensor.</summary>
    private static Dictionary<string, string> ReadIndex(string path)
    {
        if (new FileInfo(path).Length > MaxIndexBytes) throw Refused($"it has more than {MaxIndexBytes >> 20} MB");
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
            var places = json.RootElement.GetProperty("weight_map").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "");
            if (places.Values.FirstOrDefault(s => !ShardPattern().IsMatch(s)) is { } other)
                throw Refused($"'{other}' is not the plain name of a .safetensors file");
            if (places.Values.Distinct().Count() > MaxShards) throw Refused($"there are more than {MaxShards} shards");
            return places.Count > 0 ? places : throw Refused("weight_map is empty");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw Refused(e.Message);
        }
    }

    private static InvalidDataException Refused(string reason) => new($"{IndexFile}: {reason}.");

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,200}\.safetensors\z")]
    private static partial Regex ShardPattern();
}
