using System.Text.Json.Serialization;

namespace SaferGuard.Api.Operations;

/// <summary>The state of the service.</summary>
/// <param name="Status"><c>alive</c> or <c>ready</c>.</param>
/// <param name="Warnings">What an operator should mend although the service can judge.</param>
internal sealed record Health(string Status, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<FieldError>? Warnings = null);

internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").WithTags("Operations").AllowAnonymous();

        group.MapGet("/livez", () => TypedResults.Ok(new Health("alive")))
            .WithName("livez")
            .WithSummary("Says that the process runs")
            .WithDescription("Looks at nothing else, so that a probe restarts the process only when that helps.");

        group.MapGet("/readyz", ReadyAsync)
            .WithName("readyz")
            .WithSummary("Says whether the service can judge")
            .WithDescription("Ready means: the guard has judged a prompt since the start, its engine runs, the store is reachable, and the service is not stopping. "
                + "`warnings` lists policy files that are not live as they stand.")
            .Produces<Health>()
            .Produces<Problem>(StatusCodes.Status503ServiceUnavailable, Problem.ContentType);
    }

    private static async Task<IResult> ReadyAsync(Readiness readiness, CancellationToken cancellation)
    {
        var reasons = await readiness.ReasonsAsync(cancellation);
        return reasons.Count == 0
            ? TypedResults.Ok(new Health("ready", readiness.Warnings))
            : throw new ProblemException(Errors.NotReady, "Send requests elsewhere until this address answers 200.", reasons);
    }
}
