using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// <c>RowQuant</c>: input x (T, K); outputs bytes (T, K) around 128 and the rows' largest magnitudes (T, 1). With
/// <c>MatMulIntegerToFloat(…, 1/127, …, 128)</c> and <c>Mul</c> it makes an int8 linear whose rows do not depend on each other.
/// </summary>
internal static unsafe class RowQuantOp
{
    private const int UnitRows = 16;

    private struct Kernel
    {
        public KernelIsa Isa;
    }

    private struct Job
    {
        public KernelIsa Isa;
        public int Rows;
        public int Columns;
        public float* X;
        public byte* Quantised;
        public float* Magnitudes;
    }

    public static CustomOpDefinition* Define(KernelIsa isa) => CustomOpDefinition.Create(
        "RowQuant"u8,
        isa,
        [TensorElementType.Float],
        0,
        [TensorElementType.UInt8, TensorElementType.Float],
        0,
        &Create,
        &Compute);

    [UnmanagedCallersOnly]
    private static nint Create(CustomOpDefinition* op, nint api, nint info, void** kernel)
    {
        var created = (Kernel*)NativeMemory.Alloc((nuint)sizeof(Kernel));
        created->Isa = op->Isa;
        *kernel = created;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static nint Compute(void* kernel, nint context)
    {
        try
        {
            var x = new OrtTensor(context, 0, "x", rank: 2);
            Job job;
            job.Isa = ((Kernel*)kernel)->Isa;
            job.Rows = x[0];
            job.Columns = x[1];
            job.X = x.Floats;
            job.Quantised = (byte*)OrtFunctions.Output(context, 0, [job.Rows, job.Columns]);
            job.Magnitudes = (float*)OrtFunctions.Output(context, 1, [job.Rows, 1]);
            RowParallel.Run(context, job.Rows, UnitRows, &Unit, &job);
            return 0;
        }
        catch (Exception exception)
        {
            return OrtFunctions.Status(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static void Unit(void* state, nuint index)
    {
        var job = (Job*)state;
        var begin = (int)index * UnitRows;
        RowQuantKernel.Quantise(
            job->Isa, job->X, begin, Math.Min(begin + UnitRows, job->Rows), job->Columns, job->Quantised, job->Magnitudes);
    }
}
