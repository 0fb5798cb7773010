using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using SaferGuard.Api.Access.Idempotency;
using SaferGuard.Api.Access.Keys;

namespace SaferGuard.Api.Traces;

/// <summary>A judgment as it was returned. <paramref name="Body"/> is the exact response, byte for byte.</summary>
/// <param name="Id"><c>asm_</c> or <c>cmp_</c> and a UUID of version 7, so that ids sort by time.</param>
/// <param name="Kind"><c>assessment</c> or <c>completion</c>.</param>
/// <param name="Created">Unix time in seconds.</param>
/// <param name="Tenant">Whose it is: nobody else sees it.</param>
/// <param name="Caller">Who asked for it.</param>
internal sealed record StoredJudgment(
    string Id, string Kind, long Created, string Tenant, string Caller, string Decision, string ModelDigest, string PolicyDigest, byte[] Body)
{
    /// <summary>Of what stands before the UUID in an id.</summary>
    public const int PrefixLength = 4;

    /// <summary>Its place in time: sorts judgments of all kinds.</summary>
    public string Place => Id[PrefixLength..];
}

/// <summary>The database. Judgments are added and never changed. Keys are added and revoked; kept replies are added and forgotten.</summary>
internal sealed class TraceStore(DbContextOptions<TraceStore> options) : DbContext(options)
{
    public DbSet<StoredJudgment> Judgments => Set<StoredJudgment>();

    public DbSet<StoredKey> Keys => Set<StoredKey>();

    public DbSet<KeptReply> KeptReplies => Set<KeptReply>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        var judgment = modelBuilder.Entity<StoredJudgment>();
        judgment.ToTable("judgments");
        judgment.HasKey(j => j.Id);
        judgment.Property(j => j.Id).HasColumnName("id");
        judgment.Property(j => j.Kind).HasColumnName("kind");
        judgment.Property(j => j.Created).HasColumnName("created");
        judgment.Property(j => j.Tenant).HasColumnName("tenant");
        judgment.Property(j => j.Caller).HasColumnName("caller");
        judgment.Property(j => j.Decision).HasColumnName("decision");
        judgment.Property(j => j.ModelDigest).HasColumnName("model_digest");
        judgment.Property(j => j.PolicyDigest).HasColumnName("policy_digest");
        judgment.Property(j => j.Body).HasColumnName("body");
        modelBuilder.ApplyConfiguration(new StoredKeyTable());
        modelBuilder.ApplyConfiguration(new KeptReplyTable());
    }
}

internal static class TraceStoreMigration
{
    /// <summary>Creates the store's folder and file where they are missing, and brings the schema up to date.</summary>
    public static async Task MigrateAsync(this IDbContextFactory<TraceStore> stores)
    {
        await using var store = await stores.CreateDbContextAsync();
        var file = new SqliteConnectionStringBuilder(store.Database.GetConnectionString()).DataSource;
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await store.Database.MigrateAsync();
    }
}
