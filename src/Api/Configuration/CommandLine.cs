using System.CommandLine;
using SaferGuard.Api.Access.Keys;
using SaferGuard.Api.Policies.Examples;

namespace SaferGuard.Api.Configuration;

/// <summary>The verbs of the program. Without one it serves, and all arguments are settings.</summary>
internal static class CommandLine
{
    public static bool HasVerb(string[] args) =>
        args is ["--help" or "-h" or "-?" or "--version", ..] || (args is [{ Length: > 0 } first, ..] && char.IsAsciiLetter(first[0]) && !first.Contains('='));

    public static RootCommand Create() => new("SaferGuard judges prompts for large language models. Without a verb it serves, with settings such as --urls=http://127.0.0.1:8080.")
    {
        KeyCommands.Create(),
        RulesCommand.Create(),
    };

    /// <summary>What keeps a verb from its work is said in plain words, with exit code 1.</summary>
    public static async Task<int> RunAsync(string[] args, InvocationConfiguration? invocation = null)
    {
        invocation ??= new();
        invocation.EnableDefaultExceptionHandler = false;
        try
        {
            return await Create().Parse(args).InvokeAsync(invocation);
        }
        catch (Exception fault) when (Startup.Explain(fault) is { } reason)
        {
            await invocation.Error.WriteLineAsync(reason);
            return 1;
        }
    }
}
