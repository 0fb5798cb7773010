namespace SaferGuard.Reasoning.Engine;

/// <summary>What a model computes on.</summary>
public enum Device
{
    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>A graphics processor of NVIDIA.</summary>
    Cuda,
}

/// <summary>The device of the options cannot be used here; the message says why and how to mend it.</summary>
public sealed class DeviceUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
