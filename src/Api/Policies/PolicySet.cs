using System.Collections.Frozen;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Api.Policies;

/// <summary>What is known of a file of the folder.</summary>
/// <param name="Digest">Of what was last read; null where that was impossible.</param>
/// <param name="Live">The last version of it that was valid.</param>
/// <param name="Errors">What is wrong with the file now.</param>
internal sealed record PolicyFileState(string? Digest, CompiledPolicy? Live, IReadOnlyList<PolicyError> Errors);

/// <summary>A file that is not live as it stands.</summary>
/// <param name="Live">The version that stays live in its place, if there is one.</param>
internal sealed record InvalidPolicyFile(string Name, IReadOnlyList<PolicyError> Errors, CompiledPolicy? Live);

/// <summary>All policies that are live at one moment.</summary>
/// <param name="Sources">Where each comes from: a file name, or nothing for the model's own.</param>
internal sealed record PolicySet(
    FrozenDictionary<string, CompiledPolicy> ById, FrozenDictionary<string, string> Sources, IReadOnlyList<InvalidPolicyFile> Invalid)
{
    /// <summary>The model's own policy, and those of the files; of two files with one id the first by name.</summary>
    public static PolicySet Of(CompiledPolicy own, IEnumerable<KeyValuePair<string, PolicyFileState>> files)
    {
        var live = new Dictionary<string, CompiledPolicy> { [own.Policy.Id] = own };
        var sources = new Dictionary<string, string>();
        var invalid = new List<InvalidPolicyFile>();
        foreach (var (name, file) in files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            var errors = file.Errors;
            if (file.Live is { } policy)
            {
                if (sources.TryAdd(policy.Policy.Id, name)) live[policy.Policy.Id] = policy;
                else errors = [.. errors, new("id", $"'{policy.Policy.Id}' is that of {sources[policy.Policy.Id]} too", "give every file its own id")];
            }

            if (errors.Count > 0) invalid.Add(new(name, errors, file.Live is { } l && sources[l.Policy.Id] == name ? l : null));
        }

        return new(live.ToFrozenDictionary(), sources.ToFrozenDictionary(), invalid);
    }
}
