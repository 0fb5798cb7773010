using System.Runtime.InteropServices;

namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// The few functions of NVIDIA's driver library that ONNX Runtime does not offer with a provider that is built in: which devices there are, how much
/// of their memory is free, and memory that is copied inside a device. Named as in <c>cuda.h</c>; 0 is success.
/// </summary>
internal sealed unsafe class CudaDriver
{
    private const int ComputeCapabilityMajor = 75; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    private const int ComputeCapabilityMinor = 76;

    private readonly delegate* unmanaged<uint, int> _init;
    private readonly delegate* unmanaged<int*, int> _deviceGetCount;
    private readonly delegate* unmanaged<int*, int, int> _deviceGet;
    private readonly delegate* unmanaged<int*, int, int, int> _deviceGetAttribute;
    private readonly delegate* unmanaged<nint*, int, int> _primaryContextRetain;
    private readonly delegate* unmanaged<int, int> _primaryContextRelease;
    private readonly delegate* unmanaged<nint, int> _contextSetCurrent;
    private readonly delegate* unmanaged<nuint*, nuint*, int> _memGetInfo;
    private readonly delegate* unmanaged<ulong*, nuint, int> _memAlloc;
    private readonly delegate* unmanaged<ulong, int> _memFree;
    private readonly delegate* unmanaged<ulong, byte, nuint, int> _memsetBytes;
    private readonly delegate* unmanaged<ulong, ulong, nuint, nint, int> _memcpyAsync;
    private readonly delegate* unmanaged<nint, int> _streamSynchronize;
    private readonly delegate* unmanaged<int, byte**, int> _getErrorString;

    private CudaDriver(nint library)
    {
        nint Function(string name) => NativeLibrary.GetExport(library, name);
        _init = (delegate* unmanaged<uint, int>)Function("cuInit");
        _deviceGetCount = (delegate* unmanaged<int*, int>)Function("cuDeviceGetCount");
        _deviceGet = (delegate* unmanaged<int*, int, int>)Function("cuDeviceGet");
        _deviceGetAttribute = (delegate* unmanaged<int*, int, int, int>)Function("cuDeviceGetAttribute");
        _primaryContextRetain = (delegate* unmanaged<nint*, int, int>)Function("cuDevicePrimaryCtxRetain");
        _primaryContextRelease = (delegate* unmanaged<int, int>)Function("cuDevicePrimaryCtxRelease_v2");
        _contextSetCurrent = (delegate* unmanaged<nint, int>)Function("cuCtxSetCurrent");
        _memGetInfo = (delegate* unmanaged<nuint*, nuint*, int>)Function("cuMemGetInfo_v2");
        _memAlloc = (delegate* unmanaged<ulong*, nuint, int>)Function("cuMemAlloc_v2");
        _memFree = (delegate* unmanaged<ulong, int>)Function("cuMemFree_v2");
        _memsetBytes = (delegate* unmanaged<ulong, byte, nuint, int>)Function("cuMemsetD8_v2");
        _memcpyAsync = (delegate* unmanaged<ulong, ulong, nuint, nint, int>)Function("cuMemcpyDtoDAsync_v2");
        _streamSynchronize = (delegate* unmanaged<nint, int>)Function("cuStreamSynchronize");
        _getErrorString = (delegate* unmanaged<int, byte**, int>)Function("cuGetErrorString");
    }

    /// <exception cref="DeviceUnavailableException">There is no driver, or it does not work.</exception>
    public static CudaDriver Load()
    {
        var name = OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";
        if (!NativeLibrary.TryLoad(name, out var library))
            throw new DeviceUnavailableException($"There is no NVIDIA driver: {name} cannot be loaded. Install it, or in a container start it with --gpus.");
        try
        {
            var driver = new CudaDriver(library);
            driver.Check(driver._init(0));
            return driver;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or InvalidOperationException)
        {
            throw new DeviceUnavailableException($"The NVIDIA driver does not work: {e.Message}", e);
        }
    }

    /// <summary>0 as well where the driver finds none.</summary>
    public int DeviceCount()
    {
        int count;
        return _deviceGetCount(&count) == 0 ? count : 0;
    }

    public int Device(int ordinal)
    {
        int device;
        Check(_deviceGet(&device, ordinal));
        return device;
    }

    public Version ComputeCapability(int device)
    {
        int major, minor;
        Check(_deviceGetAttribute(&major, ComputeCapabilityMajor, device));
        Check(_deviceGetAttribute(&minor, ComputeCapabilityMinor, device));
        return new Version(major, minor);
    }

    /// <summary>The context that the CUDA runtime, and so ONNX Runtime, uses for the device.</summary>
    public nint RetainContext(int device)
    {
        nint context;
        Check(_primaryContextRetain(&context, device));
        return context;
    }

    public void ReleaseContext(int device) => _ = _primaryContextRelease(device);

    /// <summary>All that follows works on the context of the calling thread.</summary>
    public void Use(nint context) => Check(_contextSetCurrent(context));

    public long FreeBytes()
    {
        nuint free, total;
        Check(_memGetInfo(&free, &total));
        return (long)free;
    }

    /// <summary>Memory of the device, zeroed.</summary>
    public ulong Allocate(long bytes)
    {
        ulong memory;
        Check(_memAlloc(&memory, (nuint)bytes));
        Check(_memsetBytes(memory, 0, (nuint)bytes));
        return memory;
    }

    public void Free(ulong memory) => _ = _memFree(memory);

    /// <summary>Begins a copy on the default stream.</summary>
    public void BeginCopy(ulong source, ulong target, long bytes) => Check(_memcpyAsync(target, source, (nuint)bytes, 0));

    /// <summary>Waits for the default stream, which that of ONNX Runtime does not wait for.</summary>
    public void Synchronize() => Check(_streamSynchronize(0));

    private void Check(int result)
    {
        if (result == 0) return;
        byte* text = null;
        _ = _getErrorString(result, &text);
        throw new InvalidOperationException($"CUDA error {result}: {Marshal.PtrToStringUTF8((nint)text) ?? "unknown"}.");
    }
}
