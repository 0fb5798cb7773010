using Microsoft.Extensions.Logging.Abstractions;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Tokens;

namespace SaferGuard.Training.Preference;

/// <summary>Samples traces from an exported bundle, through the engine that serves it.</summary>
internal sealed class RollOuts : IAsyncDisposable
{
    private readonly InferenceEngine _engine;
    private readonly TraceTokens _tokens;
    private readonly SentenceMasks _masks;

    /// <param name="tokens">Those of the bundle.</param>
    /// <exception cref="InvalidDataException">The bundle is for another device.</exception>
    public RollOuts(ModelBundle bundle, TraceTokens tokens, int threads)
    {
        bundle.RequireDevice(Device.Cpu);
        (_tokens, _masks) = (tokens, new SentenceMasks(tokens));
        var options = new EngineOptions { Threads = threads, RequestTimeout = TimeSpan.FromMinutes(10) };
        var ngrams = bundle.Config.SaferguardNgrams is { } config ? new WordNgrams(bundle.Tokenizer, config) : null;
        _engine = new InferenceEngine(OnnxModelRunner.Open(bundle.GraphPath, bundle.Config, options), ngrams, options, NullLogger.Instance);
    }

    /// <summary>Samples a row's traces: the first alone, so that the others find its prompt in the prefix cache.</summary>
    public async Task<RowSamples> SampleAsync(GoldRow row, RollOutOptions options, CancellationToken cancellation)
    {
        var first = await OneAsync(0);
        return new RowSamples(row.Id, [first, .. await Task.WhenAll(Enumerable.Range(1, options.Traces - 1).Select(OneAsync))]);

        async Task<SampledTrace> OneAsync(int sample)
        {
            var program = new SamplingProgram(_tokens, _masks, row.Tokens.Prompt, row.Tokens.Subject, options, $"{row.Id} {sample}");
            await _engine.RunAsync(program, cancellation);
            return program.Trace;
        }
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();
}
