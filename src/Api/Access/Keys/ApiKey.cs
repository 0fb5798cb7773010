using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace SaferGuard.Api.Access.Keys;

/// <summary>
/// A key as its holder has it: <c>sg_</c>, the id by which it is found, <c>_</c>, and 256 random bits. It is kept only as its SHA-256: nobody can guess
/// that many bits, so a slow hash would protect nothing.
/// </summary>
internal sealed class ApiKey
{
    private const string Prefix = "sg_";
    private const int IdBytes = 6;
    private const int SecretBytes = 32;

    private static readonly int s_idLength = IdBytes * 2;
    private static readonly int s_length = Prefix.Length + s_idLength + 1 + Base64Url.GetEncodedLength(SecretBytes);
    private static readonly SearchValues<char> s_hex = SearchValues.Create("0123456789abcdef");
    private static readonly SearchValues<char> s_base64Url = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private ApiKey(string text)
    {
        Text = text;
        Id = text.Substring(Prefix.Length, s_idLength);
        Hash = SHA256.HashData(Encoding.ASCII.GetBytes(text));
    }

    /// <summary>Names the key; not a secret.</summary>
    public string Id { get; }

    /// <summary>What is stored.</summary>
    public byte[] Hash { get; }

    /// <summary>The secret itself.</summary>
    public string Text { get; }

    public static ApiKey Create() =>
        new($"{Prefix}{RandomNumberGenerator.GetHexString(s_idLength, lowercase: true)}_{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes))}");

    /// <summary>Null when the text does not have the form of a key.</summary>
    public static ApiKey? TryParse(string text)
    {
        if (text.Length != s_length || !text.StartsWith(Prefix, StringComparison.Ordinal)) return null;
        var id = text.AsSpan(Prefix.Length, s_idLength);
        var rest = text.AsSpan(Prefix.Length + s_idLength);
        return id.ContainsAnyExcept(s_hex) || rest[0] != '_' || rest[1..].ContainsAnyExcept(s_base64Url) ? null : new(text);
    }

    /// <summary>Compares in a time that does not depend on where the hashes differ.</summary>
    public bool Matches(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(Hash, hash);

    /// <summary>The id, so that no key gets into a log by accident.</summary>
    public override string ToString() => Id;
}
