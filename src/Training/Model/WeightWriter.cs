using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;

namespace SaferGuard.Training.Model;

/// <summary>
/// Writes the weights of a checkpoint folder as 32-bit floats: <c>model.safetensors</c>, or shards and their index where that would be large, so
/// that only one shard need be in memory.
/// </summary>
internal static class WeightWriter
{
    private const long MaxShardBytes = 2L << 30;

    /// <param name="read">Gives the values of a tensor.</param>
    public static void Write(string folder, ModelConfig config, Func<string, float[]> read, long maxShardBytes = MaxShardBytes)
    {
        var shards = Shards(config, maxShardBytes);
        if (shards.Count == 1)
        {
            Write(Path.Combine(folder, Checkpoint.WeightsFile), shards[0], read);
            return;
        }

        var places = new Dictionary<string, string>();
        for (var i = 0; i < shards.Count; i++)
        {
            var file = $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors";
            Write(Path.Combine(folder, file), shards[i], read);
            foreach (var (name, _) in shards[i]) places.Add(name, file);
        }

        var index = new { metadata = new { total_size = shards.SelectMany(s => s).Sum(t => BytesOf(t.Shape)) }, weight_map = places };
        File.WriteAllText(Path.Combine(folder, $"{Checkpoint.WeightsFile}.index.json"), JsonSerializer.Serialize(index));
    }

    private static void Write(string path, List<(string Name, long[] Shape)> shard, Func<string, float[]> read) =>
        SafeTensors.Write(path, [.. shard.Select(t => (t.Name, t.Shape, read(t.Name)))]);

    /// <summary>The tensors in their order, as many to a shard as fit, but at least one.</summary>
    private static List<List<(string Name, long[] Shape)>> Shards(ModelConfig config, long maxShardBytes)
    {
        var shards = new List<List<(string Name, long[] Shape)>>();
        var left = 0L;
        foreach (var tensor in Checkpoint.TensorsOf(config))
        {
            var bytes = BytesOf(tensor.Shape);
            if (shards.Count == 0 || bytes > left)
            {
                shards.Add([]);
                left = maxShardBytes;
            }

            shards[^1].Add(tensor);
            left -= bytes;
        }

        return shards;
    }

    private static long BytesOf(long[] shape) => shape.Aggregate((long)sizeof(float), (a, b) => a * b);
}
