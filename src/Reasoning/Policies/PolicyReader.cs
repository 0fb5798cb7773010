using System.Security.Cryptography;
using YamlDotNet.RepresentationModel;

namespace SaferGuard.Reasoning.Policies;

/// <summary>Reads and validates policy files (YAML, or JSON of the same shape).</summary>
public static class PolicyReader
{
    /// <summary>The largest policy file that is read.</summary>
    public const int MaxFileBytes = 256 * 1024;

    private const int MaxExamples = 1000;

    /// <summary>The policy that ships with the code (<c>Policies/default.yaml</c>).</summary>
    public static Policy Default { get; } = Read(DefaultBytes());

    /// <exception cref="InvalidDataException">The file is not a valid policy; the message lists every error.</exception>
    public static Policy Read(ReadOnlyMemory<byte> file) => TryRead(file, out var policy) is { Count: > 0 } errors
        ? throw new InvalidDataException(string.Join($"{Environment.NewLine}- ", [$"The policy file has {errors.Count} error(s):", .. errors]))
        : policy!;

    /// <summary>Everything that is wrong with the file; nothing when <paramref name="policy"/> has been read.</summary>
    public static IReadOnlyList<PolicyError> TryRead(ReadOnlyMemory<byte> file, out Policy? policy)
    {
        var errors = new PolicyErrors();
        policy = file.Length > MaxFileBytes
            ? errors.Add<Policy>("file", $"has {file.Length} bytes", $"keep it within {MaxFileBytes}")
            : (PolicyJson.TryLoad(file) ?? PolicyYaml.Load(file, errors)) is { } root ? Build(root, file, errors) : null;
        return errors.Listed;
    }

    /// <summary><c>sha256:</c> and the hexadecimal hash of a policy file's bytes.</summary>
    public static string DigestOf(ReadOnlySpan<byte> file) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(file))}";

    /// <summary>The bytes of the default policy file, as a bundle stores them.</summary>
    public static byte[] DefaultBytes()
    {
        using var stream = typeof(PolicyReader).Assembly.GetManifestResourceStream("default.yaml")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static Policy? Build(YamlNode root, ReadOnlyMemory<byte> file, PolicyErrors errors)
    {
        var fields = PolicyFields.Of(root, "policy", errors, "id", "version", "operating_point", "categories", "examples");
        if (fields is null) return null;
        var id = fields.Name("id", maxLength: 64);
        var version = fields.Text("version", maxLength: 32);
        var seen = new HashSet<string>();
        var categories = fields.List("categories", Policy.MaxCategories, (node, path) => ReadCategory(node, path, seen, errors));
        var point = fields.Choice("operating_point", OperatingPoint.Balanced);
        var digest = DigestOf(file.Span);
        var read = errors.Any ? null : new Policy(id!, version!, digest, categories!, point);
        var examples = fields.Has("examples")
            ? fields.List("examples", MaxExamples, (node, path) => ExampleReader.Read(node, path, read, errors))
            : [];
        if (categories?.Any(c => c.IsChecked) == false) errors.Add("categories", "check nothing: every rule is off", "enforce or monitor at least one rule");
        return errors.Any ? null : new Policy(id!, version!, digest, categories!, point, examples, file);
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
        var fields = PolicyFields.Of(node, path, errors, "id", "text", "effect", "enforcement", "threshold");
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
        var effect = fields.Choice<RuleEffect>("effect");
        var enforcement = fields.Choice("enforcement", Enforcement.Enforce);
        var threshold = fields.Probability("threshold");
        return id is null || text is null || effect is null ? null : new Rule(id, text, effect.Value, enforcement, threshold);
    }
}
