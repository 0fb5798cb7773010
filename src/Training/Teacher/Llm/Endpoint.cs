using System.ClientModel;
using System.ClientModel.Primitives;
using Microsoft.Extensions.AI;
using OpenAI;

namespace SaferGuard.Training.Teacher.Llm;

/// <summary>A connection to any OpenAI-compatible endpoint, with its key and its patience.</summary>
internal sealed class Endpoint : IDisposable
{
    private readonly HttpClient _http;
    private readonly OpenAIClient _client;
    private readonly Patience _patience;
    private readonly string? _key;

    /// <exception cref="InvalidDataException">The named environment variable is not set.</exception>
    public Endpoint(TeachOptions options)
    {
        _key = options.KeyVariable is { } name
            ? Environment.GetEnvironmentVariable(name) is { Length: > 0 } key ? key : throw new InvalidDataException($"The environment variable {name} is not set.")
            : null;
        _patience = new Patience(options.Patience);
        // A redirect could carry prompts elsewhere. Polly knows the time limits.
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };
        _client = new OpenAIClient(new ApiKeyCredential(_key ?? "none"), new OpenAIClientOptions
        {
            Endpoint = options.Endpoint,
            Transport = new HttpClientPipelineTransport(_http),
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
        });
    }

    public IChatClient Model(string name) => new PatientChatClient(_client.GetChatClient(name).AsIChatClient(), _patience);

    /// <summary>What happened, on one line and without the key, which servers like to repeat.</summary>
    public string Describe(Exception fault)
    {
        var message = (fault.InnerException is { } inner && fault is AggregateException ? inner : fault).Message.ReplaceLineEndings(" ");
        if (_key is not null) message = message.Replace(_key, "***", StringComparison.Ordinal);
        return message.Length <= 300 ? message : $"{message.AsSpan(0, 300)}…";
    }

    public void Dispose() => _http.Dispose();

    private sealed class PatientChatClient(IChatClient inner, Patience patience) : DelegatingChatClient(inner)
    {
        public override Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            patience.ExecuteAsync(token => InnerClient.GetResponseAsync(messages, options, token), cancellationToken);
    }
}
