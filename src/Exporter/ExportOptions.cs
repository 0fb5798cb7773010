namespace SaferGuard.Exporter;

/// <summary>What to export, and where to.</summary>
/// <param name="Dev">JSON lines to compare a quantised bundle with the exact one on; null to leave that out.</param>
/// <param name="Check">Fail unless the bundle can be run on the device that it is for.</param>
/// <param name="Force">Replace a bundle that is there.</param>
internal sealed record ExportOptions(string Checkpoint, string Out, BundleTraits Traits, WeightFormat Weights, string? Dev, bool Check, bool Force);
