using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Templates;
using SaferGuard.Reasoning.Tokens;
using SaferGuard.Reasoning.Traces;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace SaferGuard.Reasoning;

/// <summary>Judges conversations with one model bundle. Safe for concurrent callers, which are batched together.</summary>
public sealed class Guard : IAsyncDisposable
{
    /// <summary>A policy that leaves fewer tokens for conversations is of no use.</summary>
    private const int MinPromptTokens = 16;

    private readonly ModelBundle _bundle;
    private readonly CompiledPolicy _policy;
    private readonly EngineOptions _options;
    private readonly AnswerFormat _answers;
    private readonly InferenceEngine _engine;

    private Guard(ModelBundle bundle, EngineOptions options, ILogger logger, IMeterFactory? meters)
    {
        (_bundle, _options) = (bundle, options);
        var tokens = new TraceTokens(bundle.Tokenizer, bundle.Policy, bundle.Manifest.ReadsRuleText);
        _answers = new AnswerFormat(bundle, tokens);
        var ngrams = bundle.Config.SaferguardNgrams is { } config ? new WordNgrams(bundle.Tokenizer, config) : null;
        _engine = new InferenceEngine(OnnxModelRunner.Open(bundle.GraphPath, bundle.Config, options), ngrams, options, logger, meters: meters);
        _policy = Compile(bundle.Policy, tokens);
        if (MaxPromptTokens < MinPromptTokens) throw new ArgumentException("CacheTokens leaves no room for a prompt.", nameof(options));
    }

    public BundleManifest Model => _bundle.Manifest;

    /// <summary>The policy of the bundle, which applies where a judgment names no other.</summary>
    public Policy Policy => _bundle.Policy;

    /// <summary>The same, ready for judgments.</summary>
    public CompiledPolicy Compiled => _policy;

    /// <summary>The operating points that a judgment can be asked for.</summary>
    public IReadOnlyList<OperatingPoint> OperatingPoints => _bundle.Calibration.Points;

    /// <summary>The most tokens that a conversation may have under the bundle's policy.</summary>
    public int MaxPromptTokens => _policy.MaxPromptTokens;

    /// <summary>False when the engine has stopped on a fault: every judgment then throws <see cref="EngineUnavailableException"/>.</summary>
    public bool IsHealthy => _engine.IsHealthy;

    /// <summary>What the engine has done and holds.</summary>
    public EngineStatistics Statistics => _engine.Statistics;

    /// <summary>Loads and verifies a bundle and starts its engine.</summary>
    /// <param name="meters">Whose metrics the engine's are; null for the process.</param>
    /// <exception cref="InvalidDataException">The bundle is incomplete, changed, not supported, or for another device.</exception>
    /// <exception cref="DeviceUnavailableException">The device of the options cannot be used.</exception>
    /// <exception cref="ArgumentException">The options are out of range, so small that no prompt fits, or too large for the memory.</exception>
    public static Guard Load(string bundleFolder, EngineOptions? options = null, ILogger? logger = null, IMeterFactory? meters = null)
    {
        options ??= new EngineOptions();
        if (options.Errors().ToList() is { Count: > 0 } errors) throw new ArgumentException(string.Join(" ", errors), nameof(options));
        if (OnnxModelRunner.WhyUnavailable(options.Device, options.DeviceId) is { } reason) throw new DeviceUnavailableException(reason);
        var bundle = ModelBundle.Load(bundleFolder);
        bundle.RequireDevice(options.Device);
        bundle.RequireTraceTokens();
        try
        {
            return new Guard(bundle, options, logger ?? NullLogger.Instance, meters);
        }
        catch (Exception e) when (e is KeyNotFoundException or OnnxRuntimeException)
        {
            throw new InvalidDataException($"{bundleFolder}: {e.Message}", e);
        }
    }

    /// <summary>
    /// Prepares a policy for judgments; <paramref name="compiled"/> is null, and the result says why, when this model cannot judge by it.
    /// </summary>
    public IReadOnlyList<PolicyError> TryCompile(Policy policy, out CompiledPolicy? compiled)
    {
        compiled = null;
        var errors = PolicyFit.Errors(policy, _bundle);
        if (errors.Count > 0) return errors;
        compiled = Compile(policy, Model.ReadsRuleText ? new TraceTokens(_bundle.Tokenizer, policy, readsRuleText: true) : _policy.Tokens);
        var spare = compiled.MaxPromptTokens - compiled.Tokens.Template.PolicyTokens;
        if (spare >= MinPromptTokens) return [];
        compiled = null;
        return [new("categories", "leave no room for a conversation", $"shorten texts and objectives by {MinPromptTokens - spare} tokens or more")];
    }

    /// <param name="progress">
    /// Called with the stages as they are decided, on an engine thread; must return quickly. May be called once more after a cancellation.
    /// </param>
    /// <param name="point">One of <see cref="OperatingPoints"/>; null for the policy's.</param>
    /// <param name="policy">Made by <see cref="TryCompile"/>; null for the bundle's.</param>
    /// <exception cref="ArgumentException">The model has no such operating point.</exception>
    /// <exception cref="PromptTooLongException">The conversation has more than <see cref="CompiledPolicy.MaxPromptTokens"/> tokens.</exception>
    /// <exception cref="EngineUnavailableException">The queue is full or the engine has stopped.</exception>
    /// <exception cref="EngineTimeoutException">The judgment was not finished within <see cref="EngineOptions.RequestTimeout"/>.</exception>
    public async Task<Judgment> AssessAsync(
        Conversation conversation, TraceLevel level, Action<TraceStage>? progress = null, OperatingPoint? point = null,
        CompiledPolicy? policy = null, CancellationToken cancellation = default)
    {
        var start = Stopwatch.GetTimestamp();
        policy ??= _policy;
        var calibration = _bundle.Calibration.At(point ?? policy.Policy.OperatingPoint);
        var prompt = Render(conversation, policy);
        var program = Program(policy, calibration, conversation, prompt, level, progress);
        var cost = await _engine.RunAsync(program, cancellation).ConfigureAwait(false);
        var trace = cost.Appended - prompt.Length;
        return new Judgment(
            program.Trace, program.Scores, program.RuleScores,
            new TokenUsage(prompt.Length, trace, trace - cost.Chosen, Math.Min(cost.Cached, prompt.Length), cost.Passes),
            new JudgmentTimings(cost.Queue, cost.Prefill, cost.Decode, Stopwatch.GetElapsedTime(start)));
    }

    /// <summary>What the stages say before calibration, for fitting it. Rules are always checked, those of the likeliest categories.</summary>
    public async Task<(StageReadings Stages, IReadOnlyList<RuleReading> Rules)> ReadStagesAsync(Conversation conversation, CancellationToken cancellation = default)
    {
        var always = _bundle.Calibration with { CheckThreshold = double.Epsilon };
        var program = Program(_policy, always, conversation, Render(conversation, _policy), TraceLevel.Brief, null);
        await _engine.RunAsync(program, cancellation).ConfigureAwait(false);
        return (program.Readings, program.RuleReadings);
    }

    /// <summary>Writes an answer with the model itself. Only for bundles whose manifest says <see cref="BundleManifest.CanAnswer"/>.</summary>
    /// <param name="onText">Called with each piece of text as it is decoded, on an engine thread; must return quickly.</param>
    /// <exception cref="InvalidOperationException">The model cannot answer, or the judgment is a refusal.</exception>
    /// <exception cref="PromptTooLongException">The conversation, as the model is asked it, has more than <see cref="MaxPromptTokens"/> tokens.</exception>
    /// <exception cref="TemplateException">The model's chat template does not accept the conversation.</exception>
    public async Task<ModelAnswer> AnswerAsync(
        Conversation conversation, Judgment judgment, AnswerOptions options, Action<string>? onText = null, CancellationToken cancellation = default)
    {
        if (!Model.CanAnswer) throw new InvalidOperationException($"The model '{Model.Id}' judges; it does not answer.");
        if (judgment.Trace.Path.Decision == Decision.Refuse) throw new InvalidOperationException("A refused prompt is not answered.");
        var program = new AnswerProgram(_answers.Tokens, Limited(_answers.Start(conversation), MaxPromptTokens), options, _bundle.Config.MaxPositions, onText);
        await _engine.RunAsync(program, cancellation).ConfigureAwait(false);
        return program.Answer;
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    private CompiledPolicy Compile(Policy policy, TraceTokens tokens) => new(
        policy, tokens, Math.Min(_options.MaxPromptTokens, _engine.LongestStart(tokens.Growth(TraceLevel.Full)) - TraceTokens.AssessmentTokens));

    private TraceProgram Program(
        CompiledPolicy policy, Calibration calibration, Conversation conversation, PromptToken[] prompt, TraceLevel level, Action<TraceStage>? progress) =>
        new(policy, calibration, conversation, prompt, level, _bundle.Lexical?.LogOdds(conversation) ?? 0, progress);

    private static PromptToken[] Render(Conversation conversation, CompiledPolicy policy) =>
        Limited(policy.Tokens.Template.Render(conversation), policy.MaxPromptTokens);

    private static T[] Limited<T>(T[] prompt, int limit) =>
        prompt.Length <= limit ? prompt : throw new PromptTooLongException(prompt.Length, limit);
}

public sealed class PromptTooLongException(int tokens, int limit)
    : Exception($"The conversation has {tokens} tokens; the limit is {limit}.")
{
    public int Tokens => tokens;

    public int Limit => limit;
}
