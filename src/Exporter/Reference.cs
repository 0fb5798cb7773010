using System.Numerics.Tensors;
using System.Text.Json;
using SaferGuard.Reasoning.Checkpoints;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Exporter;

/// <summary>One sequence whose logits are known.</summary>
/// <param name="Tokens">The input.</param>
/// <param name="Rows">Positions in <paramref name="Tokens"/> whose logits were kept, ascending.</param>
/// <param name="Greedy">The likeliest next token at each of the rows.</param>
internal sealed record ReferenceSequence(int[] Tokens, int[] Rows, int[] Greedy);

/// <summary>
/// What a model says of a few sequences. Our trainer says it of its own model: <c>reference.json</c> in the checkpoint folder, and
/// <c>reference.safetensors</c> with a tensor <c>logits.{i}</c> (rows, vocabulary) for each sequence. Of other checkpoints
/// <see cref="PlainTransformer"/> says it.
/// </summary>
internal sealed class Reference
{
    public const string SequencesFile = "reference.json";
    public const string LogitsFile = "reference.safetensors";

    /// <summary>Lengths of the sequences that are computed here.</summary>
    private static readonly int[] ComputedLengths = [1, 8, 21];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    private readonly float[][] _logits;

    private Reference(IReadOnlyList<ReferenceSequence> sequences, float[][] logits)
    {
        Sequences = sequences;
        _logits = logits;
    }

    public IReadOnlyList<ReferenceSequence> Sequences { get; }

    /// <summary>Logits of a sequence at its rows: (rows, vocabulary).</summary>
    public ReadOnlySpan<float> LogitsOf(int sequence) => _logits[sequence];

    /// <summary>Whether the checkpoint's trainer left a reference.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, SequencesFile)) || File.Exists(Path.Combine(folder, LogitsFile));

    /// <summary>Computes what the model says of sequences that are always the same: tokens from all over its vocabulary.</summary>
    public static Reference Compute(Checkpoint checkpoint, GuardTokenizer tokenizer, CancellationToken cancellation)
    {
        var ngrams = checkpoint.Config.SaferguardNgrams is { } config ? new WordNgrams(tokenizer, config) : null;
        var model = new PlainTransformer(checkpoint);
        var vocabulary = Math.Min(tokenizer.VocabularySize, checkpoint.Config.VocabSize);
        var sequences = new List<ReferenceSequence>();
        var logits = new List<float[]>();
        foreach (var length in ComputedLengths.Where(l => l <= checkpoint.Config.MaxPositions))
        {
            cancellation.ThrowIfCancellationRequested();
            int[] tokens = [.. Enumerable.Range(1, length).Select(i => (int)(i * (0x9E3779B1L + length) % vocabulary))];
            var rows = model.Forward(tokens, ngrams?.Of(tokens) ?? []);
            sequences.Add(new ReferenceSequence(tokens, [.. Enumerable.Range(0, length)], [.. rows.Select(r => TensorPrimitives.IndexOfMax<float>(r))]));
            logits.Add([.. rows.SelectMany(r => r)]);
        }

        return new Reference(sequences, [.. logits]);
    }

    /// <exception cref="InvalidDataException">A file is missing or contradicts itself or the configuration; the message lists every error.</exception>
    public static Reference Load(string folder, ModelConfig config)
    {
        foreach (var file in new[] { SequencesFile, LogitsFile })
        {
            if (!File.Exists(Path.Combine(folder, file)))
                throw new InvalidDataException($"The checkpoint's reference has no {file}.");
        }

        SequenceList list;
        try
        {
            list = JsonSerializer.Deserialize<SequenceList>(File.ReadAllBytes(Path.Combine(folder, SequencesFile)), Json)
                ?? throw new InvalidDataException($"{SequencesFile} is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{SequencesFile}: {e.Message}", e);
        }

        var tensors = SafeTensors.Read(Path.Combine(folder, LogitsFile));
        var errors = list.Sequences.SelectMany((s, i) => Errors(s, $"logits.{i}", config, tensors).Select(e => $"sequence {i}: {e}")).ToList();
        if (list.Sequences.Count == 0) errors.Add("it has no sequences");
        if (errors.Count > 0) throw new InvalidDataException($"{SequencesFile}: " + string.Join("; ", errors));
        return new Reference(list.Sequences, [.. list.Sequences.Select((_, i) => tensors[$"logits.{i}"].Data)]);
    }

    private static IEnumerable<string> Errors(ReferenceSequence? sequence, string tensor, ModelConfig config, SafeTensors tensors)
    {
        if (sequence is null)
        {
            yield return "it is null";
            yield break;
        }

        var (tokens, rows, greedy) = sequence;
        if (tokens.Length == 0 || tokens.Length > config.MaxPositions) yield return $"it has {tokens.Length} tokens";
        if (tokens.Concat(greedy).Any(t => t < 0 || t >= config.VocabSize)) yield return "a token is not in the vocabulary";
        if (rows.Length == 0 || rows.Length != greedy.Length) yield return "rows and greedy must have the same length, at least 1";
        if (rows.Any(r => r < 0 || r >= tokens.Length) || rows.Zip(rows.Skip(1)).Any(p => p.First >= p.Second))
            yield return "rows must be ascending positions of the tokens";
        if (!tensors.TryGet(tensor, out var logits)) yield return $"{LogitsFile} has no {tensor}";
        else if (!logits.Shape.AsSpan().SequenceEqual([rows.Length, config.VocabSize])) yield return $"{tensor} must be (rows, vocabulary)";
    }

    private sealed record SequenceList(IReadOnlyList<ReferenceSequence> Sequences);
}
