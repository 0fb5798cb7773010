using System.Security.Cryptography;
using YamlDotNet.RepresentationModel;

namespace SaferGuard.Reasoning.Policies;

/// <summary>Reads and validates policy files (YAML).</summary>
public static class PolicyReader
{
    /// <summary>The largest policy file that is read.</summary>
    public const int MaxFileBytes = 256 * 1024;

    /// <summary>The policy that ships with the code (<c>Policies/default.yaml</c>).</summary>
    public static Policy Default { get; } = Read(DefaultBytes());

    /// <exception cref="InvalidDataException">The file is not a valid policy; the message lists every error.</exception>
    public static Policy Read(ReadOnlyMemory<byte> yaml)
    {
        var errors = new PolicyErrors();
        var policy = yaml.Length > MaxFileBytes
            ? errors.Add<Policy>("file", $"has {yaml.Length} bytes", $"keep it within {MaxFileBytes}")
            : PolicyYaml.Load(yaml, errors) is { } root ? Build(root, Digest(yaml.Span), errors) : null;
        errors.ThrowIfAny();
        return policy!;
    }

    /// <summary>The bytes of the default policy file, as a bundle stores them.</summary>
    public static byte[] DefaultBytes()
    {
        using var stream = typeof(PolicyReader).Assembly.GetManifestResourceStream("default.yaml")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static string Digest(ReadOnlySpan<byte> yaml) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(yaml))}";

    private static Policy? Build(YamlNode root, string digest, PolicyErrors errors)
    {
        var fields = PolicyFields.Of(root, "policy", errors, "id", "version", "operating_point", "categories");
        if (fields is null) return null;
        var id = fields.Name("id", maxLength: 64);
        var version = fields.Text("version", maxLength: 32);
        var seen = new HashSet<string>();
        var categories = fields.List("categories", Policy.MaxCategories, (node, path) => ReadCategory(node, path, seen, errors));
        var point = ReadPoint(fields, errors);
        return errors.Any ? null : new Policy(id!, version!, digest, categories!, point);
    }

    /// <summary>Optional: balanced where a policy does not say.</summary>
    private static OperatingPoint ReadPoint(PolicyFields fields, PolicyErrors errors)
    {
        if (!fields.Has("operating_point")) return OperatingPoint.Balanced;
        return fields.Text("operating_point", maxLength: 16) switch
        {
            "strict" => OperatingPoint.Strict,
            "permissive" => OperatingPoint.Permissive,
            "balanced" or null => OperatingPoint.Balanced,
            var other => errors.Add<OperatingPoint>("operating_point", $"is '{other}'", "write strict, balanced or permissive"),
        };
    }

    private static Category? ReadCategory(YamlNode node, string path, HashSet<string> seen, PolicyErrors errors)
    {
        var fields = PolicyFields.Of(node, path, errors, "id", "name", "objective", "rules");
        if (fields is null) return null;
        var id = fields.Name("id", maxLength: 16);
        if (id == Policy.NoCategory) errors.Add($"{path}.id", $"is '{id}', which stands for no category", "choose another id");
        else if (id is not null && !seen.Add(id)) errors.Add($"{path}.id", $"'{id}' is used twice", "give every category its own id");
        var name = fields.Text("name", maxLength: 80);
        var objective = fields.Text("objective", maxLength: 400);
        var ruleIds = new HashSet<string>();
        var rules = fields.List("rules", Policy.MaxRulesPerCategory, (rule, at) => ReadRule(rule, at, id, ruleIds, errors));
        return id is null || name is null || objective is null || rules is null ? null : new Category(id, name, objective, rules);
    }

    private static Rule? ReadRule(YamlNode node, string path, string? category, HashSet<string> seen, PolicyErrors errors)
    {
        var fields = PolicyFields.Of(node, path, errors, "id", "text", "effect");
        if (fields is null) return null;
        var id = fields.Name("id", maxLength: 24);
        if (id is not null && category is not null && !(id.StartsWith($"{category}.", StringComparison.Ordinal) && id.Length > category.Length + 1))
        {
            errors.Add($"{path}.id", $"'{id}' does not belong to its category", $"start it with '{category}.'");
        }
        else if (id is not null && !seen.Add(id))
        {
            errors.Add($"{path}.id", $"'{id}' is used twice", "give every rule its own id");
        }

        var text = fields.Text("text", maxLength: 400);
        var effect = fields.Text("effect", maxLength: 16) switch
        {
            "refuse" => RuleEffect.Refuse,
            "care" => RuleEffect.Care,
            null => (RuleEffect?)null,
            var other => errors.Add<RuleEffect?>($"{path}.effect", $"is '{other}'", "write refuse or care"),
        };
        return id is null || text is null || effect is null ? null : new Rule(id, text, effect.Value);
    }
}
