namespace SaferGuard.Exporter;

/// <summary>What to export, and where to.</summary>
/// <param name="Dev">JSON lines to compare a quantised bundle with the exact one on; null to leave that out.</param>
/// <param name="Force">Replace a bundle that is there.</param>
internal sealed record ExportOptions(string Checkpoint, string Out, BundleTraits Traits, WeightFormat Weights, string? Dev, bool Force);
