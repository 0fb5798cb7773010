using System.Runtime.CompilerServices;
using SaferGuard.Training.Runs;

namespace SaferGuard.Training.Tests.Runs;

[Collection(nameof(Torch))]
public sealed class NativeTemporariesTests
{
    private static int _finalised;

    [Fact]
    public void Finalisers_wait_while_temporaries_are_kept_and_run_between_two_steps()
    {
        using (NativeTemporaries.Keep())
        {
            Collect();
            Assert.True(FinalisersWait());
            Assert.Equal(0, _finalised);

            NativeTemporaries.Free();
            Assert.Equal(1, _finalised);

            using (NativeTemporaries.Keep()) Collect();
            Assert.True(FinalisersWait());
            Assert.Equal(1, _finalised);
        }

        GC.WaitForPendingFinalizers();
        Assert.Equal(2, _finalised);
    }

    /// <summary>Never true by chance: were they free to run, the wait for them would end.</summary>
    private static bool FinalisersWait() => !Task.Run(GC.WaitForPendingFinalizers, TestContext.Current.CancellationToken).Wait(100, TestContext.Current.CancellationToken);

    private static void Collect()
    {
        Drop();
        GC.Collect();
        GC.Collect();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Drop() => _ = new Counted();

    private sealed class Counted
    {
        ~Counted() => Interlocked.Increment(ref _finalised);
    }
}
