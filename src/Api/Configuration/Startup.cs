using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using SaferGuard.Api.Access;
using SaferGuard.Api.Policies;
using SaferGuard.Api.Traces;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Api.Configuration;

internal static class Startup
{
    /// <summary>Runs until the service is told to stop. What keeps it from starting is said in plain words, with exit code 1.</summary>
    public static async Task<int> RunUntilStoppedAsync(this WebApplication app)
    {
        try
        {
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            app.LimitClients();
            app.Services.GetRequiredService<Guard>();
            app.Services.GetRequiredService<PolicyBook>();
            await app.Services.GetRequiredService<IDbContextFactory<TraceStore>>().MigrateAsync();
            await app.RunAsync();
            return 0;
        }
        catch (Exception fault) when (Explain(fault) is { } reason)
        {
            await Console.Error.WriteLineAsync($"SaferGuard cannot start. {reason}");
            return 1;
        }
        finally
        {
            await app.DisposeAsync();
        }
    }

    /// <summary>What keeps the service or a command from its work, in plain words; null for a fault of the program.</summary>
    public static string? Explain(Exception fault) => fault switch
    {
        OptionsValidationException invalid => "The configuration is not valid:" + Lines(invalid.Failures),
        AggregateException several when several.InnerExceptions.All(inner => inner is OptionsValidationException) =>
            "The configuration is not valid:" + Lines(several.InnerExceptions.Cast<OptionsValidationException>().SelectMany(invalid => invalid.Failures)),
        DeviceUnavailableException device => $"Engine:Device cannot be used: {device.Message} Or set Engine:Device to Cpu, with a bundle exported for it.",
        UnguardedServiceException unguarded => unguarded.Message,
        InvalidDataException model => $"The model cannot be used: {model.Message}",
        SqliteException store => $"The store cannot be opened: {store.Message}",
        IOException or UnauthorizedAccessException => fault.Message,
        ArgumentException { ParamName: "options" } engine => $"The engine's options do not fit: {engine.Message}",
        FormatException or ArgumentOutOfRangeException or SocketException => $"The address to listen on (urls) cannot be used: {fault.Message}",
        _ => null,
    };

    private static string Lines(IEnumerable<string> lines) => string.Concat(lines.Select(line => $"{Environment.NewLine}  - {line}"));
}
