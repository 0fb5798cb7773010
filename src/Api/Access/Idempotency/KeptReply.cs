using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace SaferGuard.Api.Access.Idempotency;

/// <summary>A reply that is given again to the same request.</summary>
/// <param name="Id">A UUID of version 7, so that ids sort by time.</param>
/// <param name="Key">SHA-256 of the <c>Idempotency-Key</c>: clients put anything into it.</param>
/// <param name="Request">SHA-256 of what was asked.</param>
/// <param name="Headers">The service's own response fields, a line each.</param>
/// <param name="Expires">Unix time in milliseconds.</param>
internal sealed record KeptReply(
    string Id, string Caller, byte[] Key, byte[] Request, int Status, string? ContentType, string Headers, byte[] Body, long Expires);

internal sealed class KeptReplyTable : IEntityTypeConfiguration<KeptReply>
{
    public void Configure(EntityTypeBuilder<KeptReply> builder)
    {
        builder.ToTable("kept_replies");
        builder.HasKey(reply => reply.Id);
        // Not unique: a reply that has expired may still be there when the next one comes.
        builder.HasIndex(reply => new { reply.Caller, reply.Key });
        builder.HasIndex(reply => reply.Expires);
        builder.Property(reply => reply.Id).HasColumnName("id");
        builder.Property(reply => reply.Caller).HasColumnName("caller");
        builder.Property(reply => reply.Key).HasColumnName("key");
        builder.Property(reply => reply.Request).HasColumnName("request");
        builder.Property(reply => reply.Status).HasColumnName("status");
        builder.Property(reply => reply.ContentType).HasColumnName("content_type");
        builder.Property(reply => reply.Headers).HasColumnName("headers");
        builder.Property(reply => reply.Body).HasColumnName("body");
        builder.Property(reply => reply.Expires).HasColumnName("expires");
    }
}
