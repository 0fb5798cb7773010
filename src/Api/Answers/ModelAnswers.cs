using System.Runtime.CompilerServices;
using System.Threading.Channels;
using SaferGuard.Api.Completions;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;

namespace SaferGuard.Api.Answers;

/// <summary>Answers of the model that judges, for bundles that can.</summary>
internal sealed class ModelAnswers(Guard guard) : IAnswerSource
{
    public OutputSource Kind => OutputSource.Model;

    public Task<IAnswer> OpenAsync(AnswerRequest request, CancellationToken cancellation) => Task.FromResult<IAnswer>(new Answer(guard, request));

    private sealed class Answer(Guard guard, AnswerRequest request) : IAnswer
    {
        private readonly CancellationTokenSource _stop = new();

        public AnswerEnd? End { get; private set; }

        public async IAsyncEnumerable<string> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, cancellation);
            // Bounded by max_tokens.
            var pieces = Channel.CreateUnbounded<string>(new() { SingleReader = true });
            var writing = WriteAsync(pieces.Writer, either.Token);
            await foreach (var piece in pieces.Reader.ReadAllAsync(either.Token)) yield return piece;
            var answer = await writing;
            End = new(
                answer.ReachedLimit ? FinishReason.Length : FinishReason.Stop,
                new(guard.Model.Id, request.Conversation.Turns.Sum(guard.Compiled.CountTokens), answer.Tokens));
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _stop.Dispose();
        }

        private async Task<ModelAnswer> WriteAsync(ChannelWriter<string> pieces, CancellationToken cancellation)
        {
            try
            {
                var judgment = request.Judgment ?? throw new InvalidOperationException("The model answers only what it has judged.");
                var answer = await guard.AnswerAsync(
                    request.Conversation, judgment, request.Completion.ToAnswerOptions(), text => pieces.TryWrite(text), cancellation);
                pieces.Complete();
                return answer;
            }
            catch (Exception fault)
            {
                pieces.Complete(fault);
                throw;
            }
        }
    }
}
