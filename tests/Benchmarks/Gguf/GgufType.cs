namespace SaferGuard.Benchmarks.Gguf;

/// <summary>Formats of a tensor's values, by ggml's number.</summary>
internal enum GgufType
{
    F32 = 0,
    F16 = 1,

    /// <summary>Blocks of 32 values: a half-precision scale and 32 signed bytes.</summary>
    Q8_0 = 8,
}
