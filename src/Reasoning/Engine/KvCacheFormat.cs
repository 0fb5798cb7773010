namespace SaferGuard.Reasoning.Engine;

/// <summary>How keys and values are kept between passes; what is computed from them is fp32 either way.</summary>
public enum KvCacheFormat
{
    /// <summary>32-bit floats: exact.</summary>
    Fp32,

    /// <summary>The upper halves of floats: half the memory and half the reading, three decimal digits.</summary>
    Bf16,
}
