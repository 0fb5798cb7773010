using TorchSharp;
using static TorchSharp.torch;

namespace SaferGuard.Training.Runs;

/// <summary>Where torch computes.</summary>
internal static class TorchDevice
{
    public const string Cpu = "cpu";
    public const string Cuda = "cuda";

    /// <summary>Makes a device the default of everything that is created from now on.</summary>
    /// <exception cref="InvalidDataException">The device is missing, or this build cannot use it.</exception>
    public static void Use(string name)
    {
        if (name != Cuda) return;
        if (!TryInitializeDeviceType(DeviceType.CUDA) || !cuda.is_available())
        {
            throw new InvalidDataException(
                "--device cuda needs an NVIDIA GPU with its driver and a build with -p:TorchFlavor=Cuda; this build or machine has none. See docs/adapters.md.");
        }

        set_default_device(CUDA);
    }
}
