using SaferGuard.Api.Completions;
using SaferGuard.Api.Upstream;
using SaferGuard.Reasoning;

namespace SaferGuard.Api.Answers;

/// <summary>Knows who answers: the upstream where one is configured, else the model itself if it can, else nobody.</summary>
internal sealed class AnswerSources(Guard guard, UpstreamOptions upstream, UpstreamAnswers upstreamAnswers, ModelAnswers modelAnswers)
{
    /// <exception cref="Operations.ProblemException">The request names a model that there is not.</exception>
    public IAnswerSource? For(CompleteRequest request)
    {
        if (upstream.BaseUrl is null) return guard.Model.CanAnswer ? modelAnswers : null;
        upstream.RequireModel(request.Model);
        return upstreamAnswers;
    }
}
