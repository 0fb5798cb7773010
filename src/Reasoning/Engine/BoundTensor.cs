using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// An input or output of a graph that lies in a managed buffer, bound in place under a shape that varies. Unlike the managed package's way, which
/// converts the name and makes objects each time, binding anew allocates nothing.
/// </summary>
/// <param name="isCopied">ONNX Runtime copies the input to another device when it is bound, and only then: so it is bound before each run.</param>
internal sealed unsafe class BoundTensor(OrtIoBinding binding, string name, bool isOutput = false, bool isCopied = false) : IDisposable
{
    private const int MaxRank = 2;

    private readonly nint _name = Marshal.StringToCoTaskMemUTF8(name);
    private readonly long[] _shape = new long[MaxRank];
    private int _rank;
    private Array? _buffer;
    private GCHandle _pin;

    /// <summary>Binds the first elements of a buffer, as many as the shape has.</summary>
    /// <exception cref="ArgumentException">The buffer is smaller.</exception>
    public void Bind<T>(T[] buffer, ReadOnlySpan<long> shape)
        where T : unmanaged
    {
        if (ReferenceEquals(buffer, _buffer) && shape.SequenceEqual(_shape.AsSpan(0, _rank)) && !isCopied) return;
        long count = 1;
        foreach (var dimension in shape) count *= dimension;
        if (count > buffer.Length) throw new ArgumentException($"'{name}' has {count} elements, its buffer {buffer.Length}.");
        Pin(buffer);
        OrtFunctions.Bind(
            binding.DangerousGetHandle(), isOutput, (byte*)_name, OrtMemoryInfo.DefaultInstance.DangerousGetHandle(),
            (void*)_pin.AddrOfPinnedObject(), (nuint)(count * sizeof(T)), shape, (int)ElementType<T>());
        shape.CopyTo(_shape);
        _rank = shape.Length;
    }

    public void Dispose()
    {
        if (_pin.IsAllocated) _pin.Free();
        Marshal.FreeCoTaskMem(_name);
    }

    private void Pin(Array buffer)
    {
        if (ReferenceEquals(buffer, _buffer)) return;
        if (_pin.IsAllocated) _pin.Free();
        _pin = GCHandle.Alloc(buffer, GCHandleType.Pinned);
        _buffer = buffer;
    }

    private static TensorElementType ElementType<T>()
        where T : unmanaged =>
        typeof(T) == typeof(long) ? TensorElementType.Int64
        : typeof(T) == typeof(int) ? TensorElementType.Int32
        : typeof(T) == typeof(float) ? TensorElementType.Float
        : throw new NotSupportedException($"{typeof(T)} is not an element type of a batch.");
}
