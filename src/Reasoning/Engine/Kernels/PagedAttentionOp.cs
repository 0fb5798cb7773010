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
    private const int UnitTokens = 16;

    private struct Kernel
    {
        public KernelIsa Isa;
        public int Heads;
        public int KvHeads;
        public float Scale; // 0: 1/√D
    }

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
        &Create,
        &Compute);

    [UnmanagedCallersOnly]
    private static nint Create(CustomOpDefinition* op, nint api, nint info, void** kernel)
    {
        try
        {
            Kernel created;
            created.Isa = op->Isa;
            created.Heads = checked((int)OrtFunctions.Attribute(info, "num_heads"u8, 0));
            created.KvHeads = checked((int)OrtFunctions.Attribute(info, "kv_num_heads"u8, 0));
            created.Scale = OrtFunctions.Attribute(info, "scale"u8, 0f);
            if (created.Heads <= 0 || created.KvHeads <= 0)
                throw new InvalidDataException("PagedAttention needs num_heads and kv_num_heads.");
            if (OrtFunctions.Attribute(info, "do_rotary"u8, 0) != 1 || OrtFunctions.Attribute(info, "rotary_interleaved"u8, 0) != 0)
                throw new InvalidDataException("PagedAttention on the CPU needs do_rotary = 1 and rotary_interleaved = 0.");
            if (OrtFunctions.Attribute(info, "local_window_size"u8, -1) != -1 || OrtFunctions.Attribute(info, "softcap"u8, 0f) != 0)
                throw new InvalidDataException("PagedAttention on the CPU has no local_window_size and no softcap.");
            *kernel = NativeMemory.Alloc((nuint)sizeof(Kernel));
            *(Kernel*)*kernel = created;
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
            var job = Job((Kernel*)kernel, context);
            job.Output = (float*)OrtFunctions.Output(context, 0, [job.Tokens, job.Heads * job.HeadSize]);
            if (job.Tokens <= UnitTokens)
                PagedAttentionKernel.WriteCache(&job, 0, job.Tokens);
            else
                OrtFunctions.ParallelFor(context, &WriteCache, (job.Tokens + UnitTokens - 1) / UnitTokens, &job);
            OrtFunctions.ParallelFor(context, &Attend, job.Units, &job);
            return 0;
        }
        catch (Exception exception)
        {
            return OrtFunctions.Status(exception);
        }
    }

    /// <summary>Reads the inputs and checks them, shapes first.</summary>
    private static PagedAttentionJob Job(Kernel* kernel, nint context)
    {
        if (OrtFunctions.Input(context, 1) != 0 || OrtFunctions.Input(context, 2) != 0)
            throw new InvalidDataException("PagedAttention on the CPU takes queries, keys and values packed.");
        var qkv = new OrtTensor(context, 0, "query", rank: 2);
        var keys = new OrtTensor(context, 3, "key_cache", rank: 4);
        var values = new OrtTensor(context, 4, "value_cache", rank: 4);
        var cuSeqlens = new OrtTensor(context, 5, "cumulative_sequence_length", rank: 1);
        var pastLens = new OrtTensor(context, 6, "past_seqlens", rank: 1);
        var blockTable = new OrtTensor(context, 7, "block_table", rank: 2);
        var cos = new OrtTensor(context, 8, "cos_cache", rank: 2);
        var sin = new OrtTensor(context, 9, "sin_cache", rank: 2);

        var headSize = checked(2 * cos[1]);
        Require(keys[2] == kernel->KvHeads, "key_cache has another number of heads than kv_num_heads.");
        for (var i = 0; i < 4; i++)
            Require(values[i] == keys[i], "key_cache and value_cache differ in shape.");
        Require(qkv[1] == ((long)kernel->Heads + (2L * kernel->KvHeads)) * headSize, "query is not as wide as the packed heads.");
        Require(sin[1] == cos[1] && sin[0] == cos[0], "cos_cache and sin_cache differ in shape.");
        Require(cuSeqlens[0] >= 1, "cumulative_sequence_length is empty.");
        Require(
            pastLens[0] == cuSeqlens[0] - 1 && blockTable[0] == pastLens[0],
            "past_seqlens or block_table is for another number of sequences.");

        var job = new PagedAttentionJob
        {
            Qkv = qkv.Floats,
            KeyCache = keys.Floats,
            ValueCache = values.Floats,
            CuSeqlens = cuSeqlens.Integers,
            PastLens = pastLens.Integers,
            BlockTable = blockTable.Integers,
            Cos = cos.Floats,
            Sin = sin.Floats,
            Tokens = qkv[0],
            Sequences = pastLens[0],
            Heads = kernel->Heads,
            KvHeads = kernel->KvHeads,
            HeadSize = headSize,
            CacheWidth = keys[3],
            Blocks = keys[0],
            BlockSize = keys[1],
            TableWidth = blockTable[1],
            Positions = cos[0],
            Scale = kernel->Scale != 0 ? kernel->Scale : 1f / MathF.Sqrt(headSize),
            Isa = kernel->Isa,
        };
        job.Validate();
        return job;
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new InvalidDataException(otherwise);
    }

    [UnmanagedCallersOnly]
    private static void WriteCache(void* job, nuint unit)
    {
        var begin = (int)unit * UnitTokens;
        PagedAttentionKernel.WriteCache((PagedAttentionJob*)job, begin, Math.Min(begin + UnitTokens, ((PagedAttentionJob*)job)->Tokens));
    }

    [UnmanagedCallersOnly]
    private static void Attend(void* job, nuint unit) => PagedAttentionKernel.Attend((PagedAttentionJob*)job, (int)unit);
}
