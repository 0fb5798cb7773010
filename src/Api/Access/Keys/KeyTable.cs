namespace SaferGuard.Api.Access.Keys;

/// <summary>Keys as a table of plain text.</summary>
internal static class KeyTable
{
    private static readonly string[] s_head = ["ID", "TENANT", "SCOPES", "POLICY", "REQ/MIN", "TOK/MIN", "CONCURRENT", "CREATED", "STATE", "NAME"];

    public static async Task WriteAsync(IReadOnlyList<StoredKey> keys, TextWriter output, DateTimeOffset now)
    {
        string[][] rows = [s_head, .. keys.Select(key => Row(key, now))];
        var widths = s_head.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows) await output.WriteLineAsync(string.Join("  ", row.Zip(widths, (cell, width) => cell.PadRight(width))).TrimEnd());
    }

    private static string[] Row(StoredKey key, DateTimeOffset now) =>
    [
        key.Id, key.Tenant, key.Scopes.Replace(' ', ','), key.Policy ?? "-",
        Number(key.RequestsPerMinute), Number(key.TokensPerMinute), Number(key.MaxConcurrentRequests),
        Day(key.Created), State(key, now), key.Name,
    ];

    private static string State(StoredKey key, DateTimeOffset now) => key switch
    {
        { Revoked: { } revoked } => $"revoked {Day(revoked)}",
        { Expires: { } expires } when expires <= now.ToUnixTimeSeconds() => $"expired {Day(expires)}",
        { Expires: { } expires } => $"until {Day(expires)}",
        _ => "valid",
    };

    private static string Number(int? value) => value?.ToString("D", null) ?? "-";

    private static string Day(long unixSeconds) => $"{DateTimeOffset.FromUnixTimeSeconds(unixSeconds):yyyy-MM-dd}";
}
