namespace SaferGuard.Reasoning.Tests;

/// <summary>The model that the repository ships.</summary>
internal static class BundledModel
{
    public static string Folder => Path.Combine(Repository, "models", "safer-nano");

    public static string Repository
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "SaferGuard.sln"))) folder = folder.Parent!;
            return folder.FullName;
        }
    }
}
