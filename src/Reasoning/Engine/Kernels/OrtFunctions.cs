using System.Runtime.InteropServices;
using System.Text;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// Where each function stands in <c>struct OrtApi</c> of <c>build/native/include/onnxruntime_c_api.h</c> in the package
/// Microsoft.ML.OnnxRuntime; named as there. A test counts them in that header.
/// </summary>
internal enum OrtApiSlot
{
    CreateStatus = 0,
    GetErrorMessage = 2,
    CreateCustomOpDomain = 26,
    CustomOpDomain_Add = 27,
    AddCustomOpDomain = 28,
    CreateTensorWithDataAsOrtValue = 49,
    GetTensorMutableData = 51,
    GetDimensionsCount = 61,
    GetDimensions = 62,
    GetTensorTypeAndShape = 65,
    KernelInfoGetAttribute_float = 85,
    KernelInfoGetAttribute_int64 = 86,
    KernelContext_GetInput = 90,
    KernelContext_GetOutput = 91,
    ReleaseStatus = 93,
    ReleaseValue = 96,
    ReleaseTensorTypeAndShapeInfo = 99,
    BindInput = 136,
    BindOutput = 137,
    KernelContext_ParallelFor = 274,
}

/// <summary>
/// The part of ONNX Runtime's C API that the managed package does not show, or shows only with allocations. A status of zero is success.
/// </summary>
internal static unsafe partial class OrtFunctions
{
    /// <summary>ORT_API_VERSION of the header that the slots and the layout of <see cref="OrtCustomOp"/> come from.</summary>
    public const uint Version = 31;

    private const string Library = "1.31.";
    private const int Fail = 1; // ORT_FAIL
    private const int InvalidArgument = 2; // ORT_INVALID_ARGUMENT

    private static nint* table;

    /// <summary>Finds the function table; every other member needs it.</summary>
    /// <exception cref="InvalidOperationException">The loaded library is not of the version that the slots were taken from.</exception>
    public static void Load()
    {
        if (table != null)
            return;
        var apiBase = OrtGetApiBase(); // GetApi, GetVersionString
        var version = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)apiBase[1])());
        RequireVersion(version);
        var found = (nint*)((delegate* unmanaged<uint, nint>)apiBase[0])(Version);
        if (found == null)
            throw new InvalidOperationException($"ONNX Runtime {version} does not offer version {Version} of its C API.");
        table = found;
    }

    /// <exception cref="InvalidOperationException">The version is another.</exception>
    public static void RequireVersion(string? version)
    {
        if (version is null || !version.StartsWith(Library, StringComparison.Ordinal))
            throw new InvalidOperationException($"The custom ops are written for ONNX Runtime {Library}x, but {version} is loaded.");
    }

    public static nint CreateDomain(string name)
    {
        nint domain;
        fixed (byte* terminated = Encoding.UTF8.GetBytes(name + '\0'))
            Check(((delegate* unmanaged<byte*, nint*, nint>)Slot(OrtApiSlot.CreateCustomOpDomain))(terminated, &domain));
        return domain;
    }

    public static void AddOp(nint domain, CustomOpDefinition* op) =>
        Check(((delegate* unmanaged<nint, CustomOpDefinition*, nint>)Slot(OrtApiSlot.CustomOpDomain_Add))(domain, op));

    public static void AddDomain(nint sessionOptions, nint domain) =>
        Check(((delegate* unmanaged<nint, nint, nint>)Slot(OrtApiSlot.AddCustomOpDomain))(sessionOptions, domain));

    /// <summary>Binds a tensor in foreign memory, which must live as long as the binding.</summary>
    /// <param name="elementType">A value of <c>TensorElementType</c>.</param>
    public static void Bind(
        nint binding, bool isOutput, byte* terminatedName, nint memoryInfo, void* data, nuint bytes, ReadOnlySpan<long> shape, int elementType)
    {
        nint value;
        fixed (long* dimensions = shape)
            Check(((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)Slot(OrtApiSlot.CreateTensorWithDataAsOrtValue))(
                memoryInfo, data, bytes, dimensions, (nuint)shape.Length, elementType, &value));
        try
        {
            var bind = Slot(isOutput ? OrtApiSlot.BindOutput : OrtApiSlot.BindInput);
            Check(((delegate* unmanaged<nint, byte*, nint, nint>)bind)(binding, terminatedName, value));
        }
        finally
        {
            // The binding has a reference of its own.
            ((delegate* unmanaged<nint, void>)Slot(OrtApiSlot.ReleaseValue))(value);
        }
    }

    /// <summary>A node's attribute, or the default if it has none of this name and type.</summary>
    public static long Attribute(nint kernelInfo, ReadOnlySpan<byte> terminatedName, long absent)
    {
        long value;
        nint status;
        var get = (delegate* unmanaged<nint, byte*, long*, nint>)Slot(OrtApiSlot.KernelInfoGetAttribute_int64);
        fixed (byte* name = terminatedName)
            status = get(kernelInfo, name, &value);
        return Succeeded(status) ? value : absent;
    }

    /// <inheritdoc cref="Attribute(nint, ReadOnlySpan{byte}, long)"/>
    public static float Attribute(nint kernelInfo, ReadOnlySpan<byte> terminatedName, float absent)
    {
        float value;
        nint status;
        var get = (delegate* unmanaged<nint, byte*, float*, nint>)Slot(OrtApiSlot.KernelInfoGetAttribute_float);
        fixed (byte* name = terminatedName)
            status = get(kernelInfo, name, &value);
        return Succeeded(status) ? value : absent;
    }

    /// <summary>An input's OrtValue; zero for an optional one that is absent.</summary>
    public static nint Input(nint context, int index)
    {
        nint value;
        Check(((delegate* unmanaged<nint, nuint, nint*, nint>)Slot(OrtApiSlot.KernelContext_GetInput))(context, (nuint)index, &value));
        return value;
    }

    /// <summary>Allocates an output of the shape and returns its elements; null for an optional one that the node leaves out.</summary>
    public static void* Output(nint context, int index, ReadOnlySpan<long> shape)
    {
        nint value;
        fixed (long* dimensions = shape)
            Check(((delegate* unmanaged<nint, nuint, long*, nuint, nint*, nint>)Slot(OrtApiSlot.KernelContext_GetOutput))(
                context, (nuint)index, dimensions, (nuint)shape.Length, &value));
        return value == 0 ? null : Data(value);
    }

    /// <summary>The elements of a tensor.</summary>
    public static void* Data(nint value)
    {
        void* data;
        Check(((delegate* unmanaged<nint, void**, nint>)Slot(OrtApiSlot.GetTensorMutableData))(value, &data));
        return data;
    }

    /// <summary>Fills in the dimensions of a tensor, as far as there is room, and returns their number.</summary>
    public static int Shape(nint value, Span<long> dimensions)
    {
        nint shape;
        nuint rank;
        Check(((delegate* unmanaged<nint, nint*, nint>)Slot(OrtApiSlot.GetTensorTypeAndShape))(value, &shape));
        try
        {
            Check(((delegate* unmanaged<nint, nuint*, nint>)Slot(OrtApiSlot.GetDimensionsCount))(shape, &rank));
            fixed (long* target = dimensions)
                Check(((delegate* unmanaged<nint, long*, nuint, nint>)Slot(OrtApiSlot.GetDimensions))(
                    shape, target, Math.Min(rank, (nuint)dimensions.Length)));
        }
        finally
        {
            ((delegate* unmanaged<nint, void>)Slot(OrtApiSlot.ReleaseTensorTypeAndShapeInfo))(shape);
        }

        return (int)rank;
    }

    /// <summary>Calls the function with each index under the total on the session's threads, which take them one by one.</summary>
    public static void ParallelFor(nint context, delegate* unmanaged<void*, nuint, void> body, int total, void* state)
    {
        if (total > 0)
            Check(((delegate* unmanaged<nint, delegate* unmanaged<void*, nuint, void>, nuint, nuint, void*, nint>)Slot(
                OrtApiSlot.KernelContext_ParallelFor))(context, body, (nuint)total, (nuint)total, state));
    }

    /// <summary>What a callback returns for an exception, which must not cross into native code.</summary>
    public static nint Status(Exception exception)
    {
        var code = exception is InvalidDataException ? InvalidArgument : Fail;
        fixed (byte* message = Encoding.UTF8.GetBytes(exception.Message + '\0'))
            return ((delegate* unmanaged<int, byte*, nint>)Slot(OrtApiSlot.CreateStatus))(code, message);
    }

    private static nint Slot(OrtApiSlot slot) => table[(int)slot];

    private static void Check(nint status)
    {
        if (status == 0)
            return;
        var message = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<nint, byte*>)Slot(OrtApiSlot.GetErrorMessage))(status));
        Release(status);
        throw new InvalidOperationException(message);
    }

    private static bool Succeeded(nint status)
    {
        if (status != 0)
            Release(status);
        return status == 0;
    }

    private static void Release(nint status) => ((delegate* unmanaged<nint, void>)Slot(OrtApiSlot.ReleaseStatus))(status);

    [LibraryImport("onnxruntime")]
    private static partial nint* OrtGetApiBase();
}
