using System.Buffers;
using System.Text.RegularExpressions;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Api.Policies;

/// <summary>A file of the folder.</summary>
/// <param name="Name">Without the folder.</param>
/// <param name="Content">Null when it could not be read.</param>
internal sealed record PolicyFile(string Name, byte[]? Content);

/// <summary>
/// The policies on disk: files that are live, and below <c>versions/ID/</c> every version that ever was, named by its digest. Files appear whole or not
/// at all.
/// </summary>
internal sealed partial class PolicyFolder(string path)
{
    /// <summary>More are not looked at.</summary>
    public const int MaxFiles = 256;

    private static readonly string[] s_extensions = [".yaml", ".yml", ".json"];

    private string Versions => Path.Combine(path, "versions");

    public override string ToString() => path;

    /// <summary>The live files by name. Hidden ones, such as those that Kubernetes puts beside a mounted map, are none.</summary>
    public IReadOnlyList<PolicyFile> Read()
    {
        if (!Directory.Exists(path)) return [];
        return [.. Directory.EnumerateFiles(path)
            .Select(file => Path.GetFileName(file))
            .Where(name => name[0] != '.' && s_extensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal)
            .Take(MaxFiles)
            .Select(name => new PolicyFile(name, TryRead(Path.Combine(path, name))))];
    }

    /// <summary>Writes a live file, in the place of another where <paramref name="existing"/> names it.</summary>
    /// <returns>Its name.</returns>
    public string Write(string id, ReadOnlyMemory<byte> content, string? existing)
    {
        var name = existing ?? $"{id}.yaml";
        WriteWhole(Path.Combine(path, name), content);
        return name;
    }

    /// <summary>Keeps a version for ever, as the newest of its policy.</summary>
    public void Keep(Policy policy)
    {
        var file = VersionFile(policy.Id, policy.Digest);
        if (File.Exists(file)) File.SetLastWriteTimeUtc(file, DateTime.UtcNow);
        else WriteWhole(file, policy.File);
    }

    /// <summary>The kept versions of a policy, newest first: digests with the time at which they last went live.</summary>
    public IReadOnlyList<(string Digest, DateTime Since)> VersionsOf(string id)
    {
        var folder = Path.Combine(Versions, id);
        if (!PolicyId().IsMatch(id) || !Directory.Exists(folder)) return [];
        return [.. new DirectoryInfo(folder).EnumerateFiles("*.policy")
            .Select(file => ($"sha256:{Path.GetFileNameWithoutExtension(file.Name)}", file.LastWriteTimeUtc))
            .OrderByDescending(version => version.LastWriteTimeUtc)];
    }

    /// <summary>A kept version, if its file is still what the digest says; null otherwise.</summary>
    public byte[]? Find(string digest)
    {
        if (!Digest().IsMatch(digest) || !Directory.Exists(Versions)) return null;
        return Directory.EnumerateDirectories(Versions)
            .Select(folder => VersionFile(Path.GetFileName(folder), digest))
            .Where(File.Exists)
            .Select(TryRead)
            .FirstOrDefault(content => content is not null && PolicyReader.DigestOf(content) == digest);
    }

    private string VersionFile(string id, string digest) => Path.Combine(Versions, id, $"{digest["sha256:".Length..]}.policy");

    /// <summary>A file that is too large is read so far that the reader sees that it is.</summary>
    private static byte[]? TryRead(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var buffer = new ArrayBufferWriter<byte>();
            while (buffer.WrittenCount <= PolicyReader.MaxFileBytes && stream.Read(buffer.GetSpan(16 * 1024)) is > 0 and var read) buffer.Advance(read);
            return buffer.WrittenSpan.ToArray();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void WriteWhole(string file, ReadOnlyMemory<byte> content)
    {
        var folder = Path.GetDirectoryName(file)!;
        Directory.CreateDirectory(folder);
        var draft = Path.Combine(folder, $".{Guid.NewGuid():N}.draft");
        try
        {
            using (var stream = File.Create(draft))
            {
                stream.Write(content.Span);
                stream.Flush(flushToDisk: true);
            }

            File.Move(draft, file, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }

    [GeneratedRegex(@"\Asha256:[0-9a-f]{64}\z")]
    private static partial Regex Digest();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]*\z")]
    private static partial Regex PolicyId();
}
