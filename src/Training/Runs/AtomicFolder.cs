namespace SaferGuard.Training.Runs;

/// <summary>Folders that are replaced as a whole: whoever reads one finds the old state or the new one.</summary>
internal static class AtomicFolder
{
    /// <summary>Writes a folder beside <paramref name="path"/> and then puts it in its place.</summary>
    public static void Replace(string path, Action<string> write)
    {
        var (fresh, old) = (path + ".new", path + ".old");
        Recover(path);
        if (Directory.Exists(fresh)) Directory.Delete(fresh, recursive: true);
        Directory.CreateDirectory(fresh);
        try
        {
            write(fresh);
        }
        catch
        {
            Directory.Delete(fresh, recursive: true);
            throw;
        }

        if (Directory.Exists(path)) Directory.Move(path, old);
        Directory.Move(fresh, path);
        if (Directory.Exists(old)) Directory.Delete(old, recursive: true);
    }

    /// <summary>Mends a replacement that was interrupted. False if there is no folder.</summary>
    public static bool Recover(string path)
    {
        var old = path + ".old";
        if (Directory.Exists(old))
        {
            if (Directory.Exists(path)) Directory.Delete(old, recursive: true);
            else Directory.Move(old, path);
        }

        return Directory.Exists(path);
    }
}
