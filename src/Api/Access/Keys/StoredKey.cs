using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using SaferGuard.Api.Access.RateLimits;

namespace SaferGuard.Api.Access.Keys;

/// <summary>What a key grants, and the hash that proves it. Rows are never deleted, so that a judgment's caller can always be named.</summary>
/// <param name="Name">What it is for, in its creator's words.</param>
/// <param name="Scopes">Names, separated by spaces.</param>
/// <param name="Created">Unix time in seconds.</param>
/// <param name="Expires">Unix time in seconds; null for never.</param>
internal sealed record StoredKey(
    string Id, byte[] Hash, string Name, string Tenant, string Scopes, string? Policy,
    int? RequestsPerMinute, int? TokensPerMinute, int? MaxConcurrentRequests, long Created, long? Expires)
{
    /// <summary>Unix time in seconds; null while the key may be used.</summary>
    public long? Revoked { get; init; }

    public Caller ToCaller(CallerLimits defaults) =>
        new($"key_{Id}", Tenant, Policy, ScopeNames.Read(Scopes), new CallerLimits(RequestsPerMinute, TokensPerMinute, MaxConcurrentRequests).Or(defaults));
}

internal sealed class StoredKeyTable : IEntityTypeConfiguration<StoredKey>
{
    public void Configure(EntityTypeBuilder<StoredKey> builder)
    {
        builder.ToTable("keys");
        builder.HasKey(key => key.Id);
        builder.Property(key => key.Id).HasColumnName("id");
        builder.Property(key => key.Hash).HasColumnName("hash");
        builder.Property(key => key.Name).HasColumnName("name");
        builder.Property(key => key.Tenant).HasColumnName("tenant");
        builder.Property(key => key.Scopes).HasColumnName("scopes");
        builder.Property(key => key.Policy).HasColumnName("policy");
        builder.Property(key => key.RequestsPerMinute).HasColumnName("requests_per_minute");
        builder.Property(key => key.TokensPerMinute).HasColumnName("tokens_per_minute");
        builder.Property(key => key.MaxConcurrentRequests).HasColumnName("max_concurrent_requests");
        builder.Property(key => key.Created).HasColumnName("created");
        builder.Property(key => key.Expires).HasColumnName("expires");
        builder.Property(key => key.Revoked).HasColumnName("revoked");
    }
}
