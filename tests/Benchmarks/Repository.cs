namespace SaferGuard.Benchmarks;

/// <summary>Where the sources lie that this program was built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string BundledModel => Path.Combine(Root, "models", "safer-nano");

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "SaferGuard.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException("The benchmarks run from a working tree of the repository.");
    }
}
