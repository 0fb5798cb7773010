namespace SaferGuard.Reasoning.Engine;

/// <summary>The engine cannot take a request: its queue is full, the request can never fit, or it has stopped. Nothing was judged.</summary>
public sealed class EngineUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
