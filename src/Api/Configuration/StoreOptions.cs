using System.ComponentModel.DataAnnotations;
using Microsoft.Data.Sqlite;

namespace SaferGuard.Api.Configuration;

/// <summary>Where judgments are kept. Section <c>Store</c>.</summary>
internal sealed class StoreOptions
{
    /// <summary>The SQLite file, relative to the content root. Its folder is created.</summary>
    [Required]
    public string Path { get; set; } = "saferguard.db";

    public string ConnectionString(string contentRoot) =>
        new SqliteConnectionStringBuilder { DataSource = System.IO.Path.GetFullPath(Path, contentRoot) }.ToString();
}
