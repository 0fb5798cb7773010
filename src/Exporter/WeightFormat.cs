namespace SaferGuard.Exporter;

/// <summary>The format of a bundle's weights, as <c>--weights</c> and the manifest name it.</summary>
internal enum WeightFormat
{
    /// <summary>32-bit floats.</summary>
    Fp32,

    /// <summary>Linears in 8 bits with a scale per output channel, times activations in 8 bits with a scale per token.</summary>
    Int8,

    /// <summary>Linears in 4 bits with a scale per 32 weights.</summary>
    Int4,
}
