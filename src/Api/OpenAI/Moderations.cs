using System.Buffers;
using System.Text.Json;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;

namespace SaferGuard.Api.OpenAI;

/// <summary>Judgments of texts, in OpenAI's shape.</summary>
/// <param name="Results">One for each input, in its order.</param>
internal sealed record Moderations(string Id, string Model, IReadOnlyList<Moderation> Results);

/// <param name="Flagged">The decision is to refuse.</param>
/// <param name="Categories">OpenAI's categories: those of the violated rules of a text that is flagged.</param>
/// <param name="CategoryScores">The highest score of the rules that belong to a category; 0 where no such rule had to be checked.</param>
/// <param name="CategoryAppliedInputTypes">Always text.</param>
internal sealed record Moderation(
    bool Flagged,
    IReadOnlyDictionary<string, bool> Categories,
    IReadOnlyDictionary<string, double> CategoryScores,
    IReadOnlyDictionary<string, IReadOnlyList<string>> CategoryAppliedInputTypes,
    VerdictBody Saferguard);

/// <summary>Reads the body of a moderation into the texts to judge.</summary>
internal static class ModerationReader
{
    /// <summary>They are judged at once, so that one caller holds no more of the queue than this.</summary>
    public const int MaxInputs = 64;

    private const int MaxDepth = 8;

    /// <exception cref="Operations.ProblemException">The body is not a valid request.</exception>
    public static IReadOnlyList<string> Read(ReadOnlySequence<byte> body, LimitOptions limits) => RequestReader.Read(body, MaxDepth, (json, errors) =>
    {
        var fields = new JsonFields(json, "", errors, "input", "model").WithoutNulls();
        fields.Require("input");
        fields.Text("model");
        List<string> texts = fields.Raw("input") is { ValueKind: JsonValueKind.Array } array ? ReadArray(array, errors) : [fields.Text("input") ?? ""];
        if (errors.Count > 0) return texts;
        for (var i = 0; i < texts.Count; i++)
        {
            if (string.IsNullOrWhiteSpace(texts[i])) errors.Add(FieldOf(i, texts.Count), "must not be empty");
        }

        return texts;
    });

    /// <summary>The field that holds an input, for errors about it.</summary>
    public static string FieldOf(int index, int count) => count == 1 ? "input" : $"input[{index}]";

    /// <summary>Texts, or the parts of one text.</summary>
    private static List<string> ReadArray(JsonElement array, FieldErrors errors)
    {
        var count = array.GetArrayLength();
        if (count is 0 or > MaxInputs) errors.Add("input", $"must have from 1 to {MaxInputs} texts, not {count}");
        if (errors.Count > 0) return [];

        var texts = new List<string>();
        var parts = 0;
        foreach (var item in array.EnumerateArray())
        {
            var path = $"input[{texts.Count}]";
            if (item.ValueKind == JsonValueKind.Object) parts++;
            texts.Add(item.ValueKind == JsonValueKind.Object ? ReadPart(item, path, errors) : JsonFields.Text(item, path, errors) ?? "");
        }

        if (parts == 0) return texts;
        if (parts < count) errors.Add("input", "must have either texts or parts, not both");
        return [string.Join('\n', texts)];
    }

    private static string ReadPart(JsonElement json, string path, FieldErrors errors)
    {
        var fields = new JsonFields(json, path, errors, "type", "text", "image_url").WithoutNulls();
        fields.Require("type");
        if (fields.Text("type") is not "text" and not null)
        {
            errors.Add(fields.Field("type"), "must be text: only text can be judged");
            return "";
        }

        fields.Require("text");
        return fields.Text("text") ?? "";
    }
}
