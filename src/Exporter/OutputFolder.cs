namespace SaferGuard.Exporter;

/// <summary>
/// A folder that appears whole or not at all: it is made in a working folder beside its place and moved there at the end. The working folder
/// goes with this object.
/// </summary>
internal sealed class OutputFolder : IDisposable
{
    private readonly string _target;
    private readonly string _working;

    /// <param name="replace">A bundle that is there may be replaced. Anything else never is.</param>
    /// <exception cref="IOException">The place is taken.</exception>
    public OutputFolder(string target, string manifestFile, bool replace)
    {
        _target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        if (File.Exists(_target)) throw new IOException($"{target} is a file.");
        if (Directory.Exists(_target) && Directory.EnumerateFileSystemEntries(_target).Any())
        {
            if (!File.Exists(Path.Combine(_target, manifestFile))) throw new IOException($"{target} is not empty and not a bundle.");
            if (!replace) throw new IOException($"{target} exists; --force replaces it.");
        }

        var parent = Path.GetDirectoryName(_target) ?? throw new IOException($"{target} cannot be replaced.");
        _working = Path.Combine(parent, $".{Path.GetFileName(_target)}.{Path.GetRandomFileName()}");
        Directory.CreateDirectory(_working);
    }

    /// <summary>Path of a folder to work in; it does not exist yet.</summary>
    public string Folder(string name) => Path.Combine(_working, name);

    /// <summary>Moves a finished folder to its place.</summary>
    public void Publish(string folder)
    {
        var previous = Folder("previous");
        var exists = Directory.Exists(_target);
        if (exists) Directory.Move(_target, previous);
        try
        {
            Directory.Move(folder, _target);
        }
        catch
        {
            if (exists) Directory.Move(previous, _target);
            throw;
        }
    }

    public void Dispose() => Directory.Delete(_working, recursive: true);
}
