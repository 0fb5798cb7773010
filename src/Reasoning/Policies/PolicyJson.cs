using System.Text.Json;
using YamlDotNet.RepresentationModel;

namespace SaferGuard.Reasoning.Policies;

/// <summary>Reads a policy that is written in JSON into the nodes that a YAML file would give.</summary>
internal static class PolicyJson
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = PolicyYaml.MaxDepth, AllowDuplicateProperties = false };

    /// <summary>A file that starts with a brace is JSON if it parses as such; otherwise it is for YAML to read, or to complain about.</summary>
    public static YamlNode? TryLoad(ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.Span.TrimStart(" \t\r\n"u8).StartsWith("{"u8)) return null;
        try
        {
            using var json = JsonDocument.Parse(bytes, Strict);
            return Node(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not valid Unicode.
            return null;
        }
    }

    private static YamlNode Node(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => new YamlMappingNode(json.EnumerateObject().Select(p => KeyValuePair.Create<YamlNode, YamlNode>(new YamlScalarNode(p.Name), Node(p.Value)))),
        JsonValueKind.Array => new YamlSequenceNode(json.EnumerateArray().Select(Node)),
        JsonValueKind.String => new YamlScalarNode(json.GetString()),
        _ => new YamlScalarNode(json.ValueKind == JsonValueKind.Null ? "" : json.GetRawText()),
    };
}
