using System.Runtime.InteropServices;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// <c>struct OrtCustomOp</c> of <c>onnxruntime_c_api.h</c>: the same members in the same order, which a test compares with the header.
/// A callback's first argument is the op itself; element types, characteristics and memory types are C enums.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OrtCustomOp
{
    public uint Version;
    public delegate* unmanaged<nint, nint, nint, nint> CreateKernel;
    public delegate* unmanaged<CustomOpDefinition*, byte*> GetName;
    public delegate* unmanaged<CustomOpDefinition*, byte*> GetExecutionProviderType;
    public delegate* unmanaged<CustomOpDefinition*, nuint, int> GetInputType;
    public delegate* unmanaged<CustomOpDefinition*, nuint> GetInputTypeCount;
    public delegate* unmanaged<CustomOpDefinition*, nuint, int> GetOutputType;
    public delegate* unmanaged<CustomOpDefinition*, nuint> GetOutputTypeCount;
    public delegate* unmanaged<nint, nint, void> KernelCompute;
    public delegate* unmanaged<void*, void> KernelDestroy;
    public delegate* unmanaged<CustomOpDefinition*, nuint, int> GetInputCharacteristic;
    public delegate* unmanaged<CustomOpDefinition*, nuint, int> GetOutputCharacteristic;
    public delegate* unmanaged<CustomOpDefinition*, nuint, int> GetInputMemoryType;
    public delegate* unmanaged<CustomOpDefinition*, int> GetVariadicInputMinArity;
    public delegate* unmanaged<CustomOpDefinition*, int> GetVariadicInputHomogeneity;
    public delegate* unmanaged<CustomOpDefinition*, int> GetVariadicOutputMinArity;
    public delegate* unmanaged<CustomOpDefinition*, int> GetVariadicOutputHomogeneity;
    public delegate* unmanaged<CustomOpDefinition*, nint, nint, void**, nint> CreateKernelV2;
    public delegate* unmanaged<void*, nint, nint> KernelComputeV2;
    public delegate* unmanaged<nint, nint, nint> InferOutputShapeFn;
    public delegate* unmanaged<CustomOpDefinition*, int> GetStartVersion;
    public delegate* unmanaged<CustomOpDefinition*, int> GetEndVersion;
    public delegate* unmanaged<int**, int**, nuint> GetMayInplace;
    public delegate* unmanaged<int*, int*, void> ReleaseMayInplace;
    public delegate* unmanaged<int**, int**, nuint> GetAliasMap;
    public delegate* unmanaged<int*, int*, void> ReleaseAliasMap;
}
