using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Cache;

/// <summary>
/// SHA-256 over all that a judgment follows from, and the tenant, so that nobody learns from a response, or from how fast it comes, what others ask.
/// A prompt given as <c>input</c> and as the only message of a conversation is the same.
/// </summary>
internal readonly record struct VerdictKey(UInt128 High, UInt128 Low)
{
    public static VerdictKey Of(string tenant, string modelDigest, string policyDigest, OperatingPoint point, TraceLevel level, Conversation conversation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(tenant);
        Append(modelDigest);
        Append(policyDigest);
        hash.AppendData([(byte)point, (byte)level, (byte)conversation.Subject]);
        foreach (var turn in conversation.Turns)
        {
            hash.AppendData([(byte)turn.Role]);
            Append(turn.Content);
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return new(BinaryPrimitives.ReadUInt128LittleEndian(digest), BinaryPrimitives.ReadUInt128LittleEndian(digest[16..]));

        // Behind its length, so that no two lists of texts make the same bytes.
        void Append(string text)
        {
            Span<byte> length = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
            hash.AppendData(length);
            hash.AppendData(MemoryMarshal.AsBytes(text.AsSpan()));
        }
    }
}
