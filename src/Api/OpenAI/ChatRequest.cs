using SaferGuard.Api.Completions;

namespace SaferGuard.Api.OpenAI;

/// <summary>A request for a chat completion. Made by <see cref="ChatRequestReader"/>, so that it is valid.</summary>
/// <param name="Model">The model that was asked for; responses repeat it.</param>
/// <param name="Completion">What the same request is on the other surfaces.</param>
/// <param name="IncludeUsage">Whether a stream ends with what it cost.</param>
internal sealed record ChatRequest(string Model, CompleteRequest Completion, bool IncludeUsage);
