using SaferGuard.Api.Completions;
using SaferGuard.Api.Upstream;
using SaferGuard.Reasoning;

namespace SaferGuard.Api.Answers;

/// <summary>Knows who answers: the upstream where one is configured, else the model itself if it can, else nobody.</summary>
internal sealed class AnswerSources(Guard guard, UpstreamOptions upstream, UpstreamAnswers upstreamAnswers, ModelAnswers modelAnswers)
{
    /// <returns>Null if nobody answers; and what the one who does calls the model that the request names.</returns>
    /// <exception cref="Operations.ProblemException">The request names a model that there is not.</exception>
    public (IAnswerSource? Source, string Model) For(CompleteRequest request)
    {
        if (upstream.BaseUrl is null) return (guard.Model.CanAnswer ? modelAnswers : null, guard.Model.Id);
        // Clients that must name a model may name the one that judges, to leave the choice to the service.
        return (upstreamAnswers, upstream.NameOf(request.Model == guard.Model.Id ? null : request.Model));
    }
}
