namespace SaferGuard.Api.Operations;

internal static class OperationServices
{
    public static void AddOperations(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Readiness>();
        builder.Services.AddHostedService<WarmupWorker>();
        builder.Services.AddHostedService<DrainWorker>();
        builder.Services.AddApiDocument();
    }

    /// <summary>What happens around every request, from the outside in.</summary>
    public static void UseOperations(this WebApplication app)
    {
        app.UseMiddleware<RequestLog>();
        app.UseMiddleware<SecurityHeaders>();
        app.UseMiddleware<ProblemWriter>();
        app.UseRouting();
    }
}
