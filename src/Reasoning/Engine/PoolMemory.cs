namespace SaferGuard.Reasoning.Engine;

/// <summary>Asks before the key/value pools are allocated: the first to be told is then the one who chose their size.</summary>
internal static class PoolMemory
{
    /// <exception cref="ArgumentException">The pools are larger than the memory.</exception>
    public static void Require(EngineOptions options, long poolBytes, long memoryBytes)
    {
        const double Mebibyte = 1 << 20;
        if (poolBytes > memoryBytes)
        {
            throw new ArgumentException(
                FormattableString.Invariant(
                    $"CacheTokens is {options.CacheTokens}, which takes {poolBytes / Mebibyte:F0} MiB; {options.Device} has {memoryBytes / Mebibyte:F0} MiB for it."),
                nameof(options));
        }
    }
}
