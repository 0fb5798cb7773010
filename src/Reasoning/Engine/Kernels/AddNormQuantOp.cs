using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// <c>AddNormQuant</c>: an int8 product (T, D), its rows' magnitudes (T, 1), the residual (T, D), the weight of the norm (D) and perhaps a
/// bias of the product (D) → the new residual (T, D), and its norm as bytes (T, D) with magnitudes (T, 1).
/// </summary>
internal static unsafe class AddNormQuantOp
{
    private const int UnitRows = 16;

    private struct Kernel
    {
        public KernelIsa Isa;
        public float Epsilon;
    }

    public static CustomOpDefinition* Define(KernelIsa isa) => CustomOpDefinition.Create(
        "AddNormQuant"u8,
        isa,
        [TensorElementType.Float, TensorElementType.Float, TensorElementType.Float, TensorElementType.Float, TensorElementType.Float],
        optionalInputs: 1 << 4,
        [TensorElementType.Float, TensorElementType.UInt8, TensorElementType.Float],
        optionalOutputs: 0,
        &Create,
        &Compute);

    [UnmanagedCallersOnly]
    private static nint Create(CustomOpDefinition* op, nint api, nint info, void** kernel)
    {
        try
        {
            var epsilon = OrtFunctions.Attribute(info, "epsilon"u8, 0f);
            OrtTensor.Require(epsilon > 0, "AddNormQuant needs a positive epsilon.");
            var created = (Kernel*)NativeMemory.Alloc((nuint)sizeof(Kernel));
            created->Isa = op->Isa;
            created->Epsilon = epsilon;
            *kernel = created;
            return 0;
        }
        catch (Exception exception)
        {
            return OrtFunctions.Status(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static nint Compute(void* kernel, nint context)
    {
        try
        {
            var product = new OrtTensor(context, 0, "product", rank: 2);
            var magnitudes = new OrtTensor(context, 1, "magnitudes", rank: 2);
            var residual = new OrtTensor(context, 2, "residual", rank: 2);
            var weight = new OrtTensor(context, 3, "weight", rank: 1);
            int rows = product[0], columns = product[1];
            magnitudes.RequireShape("magnitudes", rows, 1);
            residual.RequireShape("residual", rows, columns);
            weight.RequireShape("weight", columns);

            AddNormQuantJob job;
            job.Product = product.Floats;
            job.Magnitudes = magnitudes.Floats;
            job.Residual = residual.Floats;
            job.Weight = weight.Floats;
            job.Bias = OrtTensor.OptionalRow(context, 4, "bias", columns);
            job.Rows = rows;
            job.Columns = columns;
            job.Epsilon = ((Kernel*)kernel)->Epsilon;
            job.Isa = ((Kernel*)kernel)->Isa;
            job.Sum = (float*)OrtFunctions.Output(context, 0, [rows, columns]);
            job.Quantised = (byte*)OrtFunctions.Output(context, 1, [rows, columns]);
            job.QuantisedMagnitudes = (float*)OrtFunctions.Output(context, 2, [rows, 1]);
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
        var job = (AddNormQuantJob*)state;
        var begin = (int)index * UnitRows;
        AddNormQuantKernel.Run(job, begin, Math.Min(begin + UnitRows, job->Rows));
    }
}
