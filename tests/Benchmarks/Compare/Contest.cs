using SaferGuard.Benchmarks.Checkpoints;
using SaferGuard.Benchmarks.Load;
using SaferGuard.Benchmarks.Peers;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Bundles;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Benchmarks.Compare;

/// <summary>The same weights on both sides, and the place where results go.</summary>
internal sealed record Contest(
    CompareOptions Options, Report Report, Limits Limits, string Shape, Precision Precision, ModelBundle Bundle, LlamaCpp Peer)
{
    private readonly PromptSource _prompts = new();

    /// <summary>Threads of the peer for this model.</summary>
    public int PeerThreads { get; init; }

    public TraceTokens Tokens { get; } = new(Bundle.Tokenizer, Bundle.Policy);

    public string Name => $"{Shape}, {Precision}";

    /// <summary>The pair that the project has set itself goals for.</summary>
    public bool IsGoal => Shape == ModelShape.Smol && Precision == Precision.Bytes;

    public Conversation NextPrompt() => Conversation.OfPrompt(_prompts.Next(CompareOptions.PromptWords));

    /// <summary>So many different token ids of a prompt, for what does not depend on the text.</summary>
    public int[] PlainTokens(int count) =>
        [.. Tokens.Template.Render(Conversation.OfPrompt(_prompts.Next(count))).Select(token => token.Id).Take(count)];

    /// <summary>One side's first round warms it up and is not counted.</summary>
    public Task<T[][]> InTurnAsync<T>(params Func<Task<T>>[] contestants) => Rounds.InTurnAsync(Options.Rounds, contestants);

    public Task<Round> JudgeAsync(Guard guard, int callers, TraceLevel level, Func<Conversation>? prompt = null) =>
        ClosedLoop.RunAsync(callers, Options.Duration, _ => guard.AssessAsync((prompt ?? NextPrompt)(), level));
}
