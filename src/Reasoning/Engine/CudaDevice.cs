using Microsoft.ML.OnnxRuntime;

namespace SaferGuard.Reasoning.Engine;

/// <summary>One device of NVIDIA that this build can use.</summary>
internal sealed class CudaDevice : IDisposable
{
    private const string Provider = "CUDAExecutionProvider";

    private readonly CudaDriver _driver;
    private readonly int _device;
    private readonly nint _context;

    private CudaDevice(CudaDriver driver, int id)
    {
        (_driver, Id, _device) = (driver, id, driver.Device(id));
        ComputeCapability = driver.ComputeCapability(_device);
        _context = driver.RetainContext(_device);
    }

    public int Id { get; }

    /// <summary>Its generation: 8.0 is Ampere.</summary>
    public Version ComputeCapability { get; }

    /// <exception cref="DeviceUnavailableException">This build has no CUDA, or the machine has no such device.</exception>
    public static CudaDevice Open(int id)
    {
        var driver = DriverOf(id);
        try
        {
            return new CudaDevice(driver, id);
        }
        catch (InvalidOperationException e)
        {
            throw new DeviceUnavailableException($"The CUDA device {id} does not work: {e.Message}", e);
        }
    }

    /// <summary>The driver of a device that is there; nothing is set up on it yet.</summary>
    /// <inheritdoc cref="Open"/>
    public static CudaDriver DriverOf(int id)
    {
        if (!OrtEnv.Instance().GetAvailableProviders().Contains(Provider))
            throw new DeviceUnavailableException("This build has ONNX Runtime for the CPU only. Build it with -p:OnnxRuntimeFlavor=Gpu.");
        var driver = CudaDriver.Load();
        var count = driver.DeviceCount();
        return id < count ? driver : throw new DeviceUnavailableException($"There is no CUDA device {id}: the driver shows {count}, counted from 0.");
    }

    public long FreeBytes()
    {
        _driver.Use(_context);
        return _driver.FreeBytes();
    }

    /// <summary>Memory of the device, zeroed.</summary>
    public ulong Allocate(long bytes)
    {
        _driver.Use(_context);
        return _driver.Allocate(bytes);
    }

    public void Free(ulong memory)
    {
        _driver.Use(_context);
        _driver.Free(memory);
    }

    /// <summary>Copies a run of bytes in each of several pools of one size that lie one after the other.</summary>
    public void Copy(ulong pools, int count, long poolBytes, long source, long target, long bytes)
    {
        _driver.Use(_context);
        for (var pool = 0; pool < count; pool++, pools += (ulong)poolBytes) _driver.BeginCopy(pools + (ulong)source, pools + (ulong)target, bytes);
        _driver.Synchronize();
    }

    public void Dispose() => _driver.ReleaseContext(_device);
}
