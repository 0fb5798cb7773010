using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// <c>QuantPagedAttention</c>: <see cref="PagedAttentionOp"/> between int8 products. It takes the product of queries, keys and values as it
/// is, with its rows' magnitudes (T, 1), and perhaps its bias and the weights (D) that each head of the queries and keys is normalised by;
/// it gives attention as floats, and, where a node asks for them, as bytes with magnitudes (T, 1) for the next product.
/// </summary>
internal static unsafe class QuantPagedAttentionOp
{
    private const int Bias = 9;
    private const int QueryNorm = 10;
    private const int KeyNorm = 11;
    private const int UnitRows = 16;

    private struct QuantJob
    {
        public KernelIsa Isa;
        public int Rows;
        public int Columns;
        public float* Attention;
        public byte* Quantised;
        public float* Magnitudes;
    }

    public static CustomOpDefinition* Define(KernelIsa isa) => CustomOpDefinition.Create(
        "QuantPagedAttention"u8,
        isa,
        [
            TensorElementType.Float, // 0 product
            TensorElementType.Float, // 1 magnitudes
            TensorElementType.Float, // 2 key_cache
            TensorElementType.Float, // 3 value_cache
            TensorElementType.Int32, // 4 cumulative_sequence_length
            TensorElementType.Int32, // 5 past_seqlens
            TensorElementType.Int32, // 6 block_table
            TensorElementType.Float, // 7 cos_cache
            TensorElementType.Float, // 8 sin_cache
            TensorElementType.Float, // 9 bias
            TensorElementType.Float, // 10 query_norm
            TensorElementType.Float, // 11 key_norm
        ],
        optionalInputs: (1 << Bias) | (1 << QueryNorm) | (1 << KeyNorm),
        [TensorElementType.Float, TensorElementType.UInt8, TensorElementType.Float],
        optionalOutputs: 0b110,
        &Create,
        &Compute);

    [UnmanagedCallersOnly]
    private static nint Create(CustomOpDefinition* op, nint api, nint info, void** kernel)
    {
        try
        {
            *kernel = PagedAttentionNode.Create(op->Isa, info);
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
            var node = (PagedAttentionNode*)kernel;
            var magnitudes = new OrtTensor(context, 1, "magnitudes", rank: 2);
            var job = node->Job(context, packed: 0, caches: 2);
            magnitudes.RequireShape("magnitudes", job.Tokens, 1);
            job.Magnitudes = magnitudes.Floats;
            job.Bias = OrtTensor.OptionalRow(context, Bias, "bias", (job.Heads + (2 * job.KvHeads)) * job.HeadSize);
            job.QueryNorm = OrtTensor.OptionalRow(context, QueryNorm, "query_norm", job.HeadSize);
            job.KeyNorm = OrtTensor.OptionalRow(context, KeyNorm, "key_norm", job.HeadSize);
            job.Validate();

            QuantJob quant;
            quant.Isa = node->Isa;
            quant.Rows = job.Tokens;
            quant.Columns = job.Heads * job.HeadSize;
            quant.Attention = job.Output = (float*)OrtFunctions.Output(context, 0, [quant.Rows, quant.Columns]);
            quant.Quantised = (byte*)OrtFunctions.Output(context, 1, [quant.Rows, quant.Columns]);
            quant.Magnitudes = (float*)OrtFunctions.Output(context, 2, [quant.Rows, 1]);
            PagedAttentionNode.Run(context, &job);

            // A row is whole only when all of its heads are, which other threads may have computed.
            if (quant.Quantised != null && quant.Magnitudes != null)
                RowParallel.Run(context, quant.Rows, UnitRows, &Quantise, &quant);
            return 0;
        }
        catch (Exception exception)
        {
            return OrtFunctions.Status(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static void Quantise(void* state, nuint unit)
    {
        var job = (QuantJob*)state;
        var begin = (int)unit * UnitRows;
        RowQuantKernel.Quantise(
            job->Isa, job->Attention, begin, Math.Min(begin + UnitRows, job->Rows), job->Columns, job->Quantised, job->Magnitudes);
    }
}
