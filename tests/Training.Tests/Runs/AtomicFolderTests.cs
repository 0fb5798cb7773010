using SaferGuard.Training.Runs;

namespace SaferGuard.Training.Tests.Runs;

public sealed class AtomicFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => Path.Combine(_folder.Path, "state");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_is_replaced_as_a_whole()
    {
        Write("one", "1");
        Write("two", "2");

        Assert.Equal(["two"], Directory.GetFiles(Target).Select(Path.GetFileName));
        Assert.Equal([Target], Directory.GetDirectories(_folder.Path));
    }

    [Fact]
    public void A_write_that_fails_leaves_the_old_folder()
    {
        Write("one", "1");

        Assert.Throws<IOException>(() => AtomicFolder.Replace(Target, _ => throw new IOException("full")));

        Assert.Equal("1", File.ReadAllText(Path.Combine(Target, "one")));
        Write("two", "2");
        Assert.Equal(["two"], Directory.GetFiles(Target).Select(Path.GetFileName));
    }

    [Fact]
    public void A_replacement_that_stopped_half_way_is_taken_back()
    {
        Write("one", "1");
        Directory.Move(Target, Target + ".old");

        Assert.True(AtomicFolder.Recover(Target));

        Assert.Equal("1", File.ReadAllText(Path.Combine(Target, "one")));
    }

    [Fact]
    public void There_may_be_nothing_to_recover() => Assert.False(AtomicFolder.Recover(Target));

    private void Write(string name, string text) => AtomicFolder.Replace(Target, folder => File.WriteAllText(Path.Combine(folder, name), text));
}
