using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// What ONNX Runtime asks of an op, as data behind the struct that it knows, so that all ops share their callbacks. Lives in native
/// memory for as long as the process, since sessions refer to it.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CustomOpDefinition
{
    private const int MaxInputs = 16;
    private const int MaxOutputs = 4;

    private OrtCustomOp native; // first: ONNX Runtime's pointer to it is a pointer to the whole
    private byte* name;
    private int inputs;
    private int outputs;
    private fixed int inputTypes[MaxInputs];
    private fixed int outputTypes[MaxOutputs];
    private int optionalInputs; // a bit for each
    private int optionalOutputs;
    private KernelIsa isa;

    public readonly KernelIsa Isa => isa;

    /// <param name="name">A literal: it is read in place for ever.</param>
    /// <param name="optionalInputs">A bit for each input that may be absent.</param>
    /// <param name="optionalOutputs">A bit for each output that a node may leave out.</param>
    /// <param name="create">From op, API, kernel info to a kernel, allocated with <see cref="NativeMemory"/>.</param>
    /// <param name="compute">From kernel and context to a status.</param>
    public static CustomOpDefinition* Create(
        ReadOnlySpan<byte> name,
        KernelIsa isa,
        ReadOnlySpan<TensorElementType> inputTypes,
        int optionalInputs,
        ReadOnlySpan<TensorElementType> outputTypes,
        int optionalOutputs,
        delegate* unmanaged<CustomOpDefinition*, nint, nint, void**, nint> create,
        delegate* unmanaged<void*, nint, nint> compute)
    {
        var op = (CustomOpDefinition*)NativeMemory.AllocZeroed((nuint)sizeof(CustomOpDefinition));
        op->name = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(name));
        op->isa = isa;
        op->inputs = inputTypes.Length;
        op->outputs = outputTypes.Length;
        op->optionalInputs = optionalInputs;
        op->optionalOutputs = optionalOutputs;
        for (var i = 0; i < inputTypes.Length; i++)
            op->inputTypes[i] = (int)inputTypes[i];
        for (var i = 0; i < outputTypes.Length; i++)
            op->outputTypes[i] = (int)outputTypes[i];

        op->native.Version = OrtFunctions.Version;
        op->native.GetName = &Name;
        op->native.GetExecutionProviderType = &DefaultProvider;
        op->native.GetInputType = &InputType;
        op->native.GetInputTypeCount = &InputCount;
        op->native.GetOutputType = &OutputType;
        op->native.GetOutputTypeCount = &OutputCount;
        op->native.KernelDestroy = &Destroy;
        op->native.GetInputCharacteristic = &InputCharacteristic;
        op->native.GetOutputCharacteristic = &OutputCharacteristic;
        op->native.GetInputMemoryType = &Zero;
        op->native.GetVariadicInputMinArity = &One;
        op->native.GetVariadicInputHomogeneity = &One;
        op->native.GetVariadicOutputMinArity = &One;
        op->native.GetVariadicOutputHomogeneity = &One;
        op->native.CreateKernelV2 = create;
        op->native.KernelComputeV2 = compute;
        op->native.GetStartVersion = &One;
        op->native.GetEndVersion = &AnyVersion;
        return op;
    }

    [UnmanagedCallersOnly]
    private static byte* Name(CustomOpDefinition* op) => op->name;

    [UnmanagedCallersOnly]
    private static byte* DefaultProvider(CustomOpDefinition* op) => null; // the CPU

    [UnmanagedCallersOnly]
    private static nuint InputCount(CustomOpDefinition* op) => (nuint)op->inputs;

    [UnmanagedCallersOnly]
    private static nuint OutputCount(CustomOpDefinition* op) => (nuint)op->outputs;

    [UnmanagedCallersOnly]
    private static int InputType(CustomOpDefinition* op, nuint index) => op->inputTypes[(int)index];

    [UnmanagedCallersOnly]
    private static int OutputType(CustomOpDefinition* op, nuint index) => op->outputTypes[(int)index];

    // INPUT_OUTPUT_REQUIRED is 0, INPUT_OUTPUT_OPTIONAL 1.
    [UnmanagedCallersOnly]
    private static int InputCharacteristic(CustomOpDefinition* op, nuint index) => (op->optionalInputs >> (int)index) & 1;

    [UnmanagedCallersOnly]
    private static int OutputCharacteristic(CustomOpDefinition* op, nuint index) => (op->optionalOutputs >> (int)index) & 1;

    // OrtMemTypeDefault.
    [UnmanagedCallersOnly]
    private static int Zero(CustomOpDefinition* op, nuint index) => 0;

    [UnmanagedCallersOnly]
    private static int One(CustomOpDefinition* op) => 1;

    [UnmanagedCallersOnly]
    private static int AnyVersion(CustomOpDefinition* op) => int.MaxValue;

    [UnmanagedCallersOnly]
    private static void Destroy(void* kernel) => NativeMemory.Free(kernel);
}
