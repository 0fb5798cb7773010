using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// <c>SwiGluQuant</c>: an int8 product of gates and others (T, 2·F), its rows' magnitudes (T, 1) and perhaps its bias (2·F) →
/// <c>silu(gate) · up</c> as bytes (T, F) with magnitudes (T, 1).
/// </summary>
internal static unsafe class SwiGluQuantOp
{
    private const int UnitRows = 4;

    private struct Kernel
    {
        public KernelIsa Isa;
    }

    public static CustomOpDefinition* Define(KernelIsa isa) => CustomOpDefinition.Create(
        "SwiGluQuant"u8,
        isa,
        [TensorElementType.Float, TensorElementType.Float, TensorElementType.Float],
        optionalInputs: 1 << 2,
        [TensorElementType.UInt8, TensorElementType.Float],
        optionalOutputs: 0,
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
            var product = new OrtTensor(context, 0, "product", rank: 2);
            var magnitudes = new OrtTensor(context, 1, "magnitudes", rank: 2);
            int rows = product[0], columns = product[1] / 2;
            magnitudes.RequireShape("magnitudes", rows, 1);
            if (product[1] % 2 != 0 || columns > SwiGluQuantJob.MaxColumns)
                throw new InvalidDataException($"product has {product[1]} columns, not at most {SwiGluQuantJob.MaxColumns} gates and as many others.");

            SwiGluQuantJob job;
            job.Product = product.Floats;
            job.Magnitudes = magnitudes.Floats;
            job.Bias = OrtTensor.OptionalRow(context, 2, "bias", product[1]);
            job.Rows = rows;
            job.Columns = columns;
            job.Isa = ((Kernel*)kernel)->Isa;
            job.Quantised = (byte*)OrtFunctions.Output(context, 0, [rows, columns]);
            job.QuantisedMagnitudes = (float*)OrtFunctions.Output(context, 1, [rows, 1]);
            RowParallel.Run(context, rows, UnitRows, &Unit, &job);
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
        var job = (SwiGluQuantJob*)state;
        var begin = (int)index * UnitRows;
        SwiGluQuantKernel.Run(job, begin, Math.Min(begin + UnitRows, job->Rows));
    }
}
