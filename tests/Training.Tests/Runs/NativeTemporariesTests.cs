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
            var before = _finalised;
            Collect();
            Thread.Sleep(50);
            Assert.Equal(before, _finalised);

            NativeTemporaries.Free();
            Assert.Equal(before + 1, _finalised);

            using (NativeTemporaries.Keep()) Collect();
            Thread.Sleep(50);
            Assert.Equal(before + 1, _finalised);
        }

        GC.WaitForPendingFinalizers();
        Assert.Equal(0, NotFinalised());
    }

    private static int NotFinalised() => 2 - _finalised;

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
