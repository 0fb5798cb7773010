using System.Runtime.CompilerServices;

namespace SaferGuard.Training.Runs;

/// <summary>
/// Keeps what TorchSharp hands to native code from being freed while it is read. <c>a + b</c> makes a <c>Scalar</c> for its factor of one, and
/// nothing keeps that alive during the call: where a collection falls into it, the finaliser frees the native value under the product, which
/// then fails, or silently computes with something else. So finalisers are held back while tensors are computed, and run between two steps.
/// </summary>
internal static class NativeTemporaries
{
    private static readonly Lock _changing = new();
    private static int _holders;
    private static Gate? _gate;

    /// <summary>Holds finalisers back until the result is disposed. Whoever waits for pending ones meanwhile waits for ever: call <see cref="Free"/>.</summary>
    public static IDisposable Keep()
    {
        lock (_changing)
        {
            if (_holders++ == 0) _gate = Gate.Close();
        }

        return new Holder();
    }

    /// <summary>Lets finalisers run that have waited. Call it between two steps, when no product is computed.</summary>
    public static void Free()
    {
        lock (_changing)
        {
            if (_gate is null) return;
            _gate.Open();
            GC.WaitForPendingFinalizers();
            _gate = Gate.Close();
        }
    }

    private static void Release()
    {
        lock (_changing)
        {
            if (--_holders > 0) return;
            _gate!.Open();
            _gate = null;
        }
    }

    private sealed class Holder : IDisposable
    {
        private bool _isDisposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isDisposed, true)) return;
            Release();
        }
    }

    /// <summary>Finalisers run one after the other on one thread; while one of them waits, none runs.</summary>
    private sealed class Gate
    {
        private readonly TaskCompletionSource _closed = new();
        private readonly TaskCompletionSource _open = new();

        public static Gate Close()
        {
            var gate = new Gate();
            do
            {
                Drop(gate);
                GC.Collect(0);
            }
            while (!gate._closed.Task.Wait(TimeSpan.FromSeconds(1))); // a dead reference that still stands on the stack
            return gate;
        }

        public void Open() => _open.TrySetResult();

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Drop(Gate gate) => _ = new Sentinel(gate);

        private sealed class Sentinel(Gate gate)
        {
            ~Sentinel()
            {
                gate._closed.TrySetResult();
                gate._open.Task.Wait();
            }
        }
    }
}
