namespace SaferGuard.Reasoning.Engine;

/// <summary>The engine did not finish a request in time. Nothing was judged.</summary>
public sealed class EngineTimeoutException(TimeSpan limit) : Exception($"The request was not finished within {limit.TotalSeconds:0.###} s.");
