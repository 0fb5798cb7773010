using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>
/// <c>PagedAttention</c> of com.microsoft on the CPU, where ONNX Runtime has only its schema: packed queries, keys and values (fp32),
/// rotary positions always. The cache inputs are updated in place, in the layout of <see cref="PagedAttentionJob"/>.
/// </summary>
internal static unsafe class PagedAttentionOp
{
    private const int UnpackedInputs = 0b110; // key and value, for queries that are not packed

    public static CustomOpDefinition* Define(KernelIsa isa) => CustomOpDefinition.Create(
        "PagedAttention"u8,
        isa,
        [
            TensorElementType.Float, // 0 query, packed with key and value
            TensorElementType.Float, // 1 key
            TensorElementType.Float, // 2 value
            TensorElementType.Float, // 3 key_cache
            TensorElementType.Float, // 4 value_cache
            TensorElementType.Int32, // 5 cumulative_sequence_length
            TensorElementType.Int32, // 6 past_seqlens
            TensorElementType.Int32, // 7 block_table
            TensorElementType.Float, // 8 cos_cache
            TensorElementType.Float, // 9 sin_cache
        ],
        UnpackedInputs,
        [TensorElementType.Float],
        optionalOutputs: 0,
        &Create,
        &Compute);

    [UnmanagedCallersOnly]
    private static nint Create(CustomOpDefinition* op, nint api, nint info, void** kernel)
    {
        try
        {
            if (OrtFunctions.Attribute(info, "do_rotary"u8, 0) != 1 || OrtFunctions.Attribute(info, "rotary_interleaved"u8, 0) != 0)
                throw new InvalidDataException("PagedAttention on the CPU needs do_rotary = 1 and rotary_interleaved = 0.");
            if (OrtFunctions.Attribute(info, "local_window_size"u8, -1) != -1 || OrtFunctions.Attribute(info, "softcap"u8, 0f) != 0)
                throw new InvalidDataException("PagedAttention on the CPU has no local_window_size and no softcap.");
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
            if (OrtFunctions.Input(context, 1) != 0 || OrtFunctions.Input(context, 2) != 0)
                throw new InvalidDataException("PagedAttention on the CPU takes queries, keys and values packed.");
            var job = ((PagedAttentionNode*)kernel)->Job(context, packed: 0, caches: 3);
            job.Validate();
            job.Output = (float*)OrtFunctions.Output(context, 0, [job.Tokens, job.Heads * job.HeadSize]);
            PagedAttentionNode.Run(context, &job);
            return 0;
        }
        catch (Exception exception)
        {
            return OrtFunctions.Status(exception);
        }
    }
}
