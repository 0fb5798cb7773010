using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using SaferGuard.Api.Access.RateLimits;
using SaferGuard.Api.Configuration;

namespace SaferGuard.Api.Access.Keys;

/// <summary>The <c>keys</c> verb: creates, lists and revokes keys in the store that the service uses, also while it runs.</summary>
internal static partial class KeyCommands
{
    private static readonly Option<string?> s_store = new("--store")
    {
        Description = "The store's file; by default the one that the service uses with the same configuration.",
        Recursive = true,
    };

    public static Command Create() => new("keys", "Create, list and revoke the keys of callers.")
    {
        s_store, CreateVerb(), ListVerb(), RevokeVerb(),
    };

    private static Command CreateVerb()
    {
        var tenant = new Option<string>("--tenant") { Description = "Whose judgments the key makes and sees.", DefaultValueFactory = _ => Caller.DefaultTenant };
        var scopes = new Option<string[]>("--scope")
        {
            Description = $"What the key is for, one or more of {string.Join(", ", ScopeNames.All)}.",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        scopes.AcceptOnlyFromAmong([.. ScopeNames.All]);
        Demand(tenant, NamePattern().IsMatch, "letters, digits, dots, dashes and underscores, at most 64");
        var name = new Option<string>("--name") { Description = "What the key is for, for people.", DefaultValueFactory = _ => "" };
        var policy = new Option<string?>("--policy") { Description = "Id of the policy that applies where a request names none." };
        Demand(name, text => text.Length <= 200 && !text.Any(char.IsControl), "at most 200 characters on one line");
        Demand(policy, NamePattern().IsMatch, "the id of a policy");
        var requests = Quota("--requests-per-minute", "Requests per minute; by default what the service is configured with.");
        var tokens = Quota("--tokens-per-minute", "Tokens per minute, read and written.");
        var concurrent = Quota("--max-concurrent-requests", "Requests in flight at once.");
        var expires = new Option<DateTimeOffset?>("--expires") { Description = "When the key ends, such as 2030-01-31 (UTC); by default never." };
        expires.CustomParser = result =>
        {
            if (DateTimeOffset.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time > DateTimeOffset.UtcNow)
                return time;
            result.AddError("--expires takes a date to come such as 2030-01-31, or a time such as 2030-01-31T12:00Z.");
            return null;
        };

        var command = new Command("create", "Create a key. It is written once, to standard output, and cannot be had again.")
        {
            tenant, scopes, name, policy, requests, tokens, concurrent, expires,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var store = await StoreAccess.OpenAsync(parsed.GetValue(s_store));
            var grant = new KeyGrant(parsed.GetRequiredValue(tenant), ScopeNames.Read(parsed.GetRequiredValue(scopes)))
            {
                Name = parsed.GetRequiredValue(name),
                Policy = parsed.GetValue(policy),
                Limits = new CallerLimits(parsed.GetValue(requests), parsed.GetValue(tokens), parsed.GetValue(concurrent)),
                Expires = parsed.GetValue(expires),
            };
            var key = await store.Get<KeyBook>().CreateAsync(grant, cancellation);
            await parsed.InvocationConfiguration.Output.WriteLineAsync(key.Text);
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"Key {key.Id} may {ScopeNames.Of(grant.Scopes)} for {grant.Tenant}. Keep it: it is not stored.");
            return 0;
        });
        return command;
    }

    private static Command ListVerb()
    {
        var command = new Command("list", "List all keys, the oldest first. None of them can be read back.");
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var store = await StoreAccess.OpenAsync(parsed.GetValue(s_store));
            await KeyTable.WriteAsync(await store.Get<KeyBook>().ListAsync(cancellation), parsed.InvocationConfiguration.Output, store.Get<TimeProvider>().GetUtcNow());
            return 0;
        });
        return command;
    }

    private static Command RevokeVerb()
    {
        var id = new Argument<string>("id") { Description = "Id of the key, as 'keys list' shows it." };
        var command = new Command("revoke", "End a key for good. A running service refuses it within Access:KeyCacheTime (5 s).") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var store = await StoreAccess.OpenAsync(parsed.GetValue(s_store));
            if (await store.Get<KeyBook>().RevokeAsync(parsed.GetRequiredValue(id), cancellation)) return 0;
            await parsed.InvocationConfiguration.Error.WriteLineAsync("There is no key with this id. 'keys list' shows all.");
            return 1;
        });
        return command;
    }

    private static Option<int?> Quota(string name, string description)
    {
        var option = new Option<int?>(name) { Description = description };
        Demand(option, text => int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= CallerLimits.Most, $"a number from 1 to {CallerLimits.Most}");
        return option;
    }

    private static void Demand(Option option, Func<string, bool> isGood, string wanted) => option.Validators.Add(result =>
    {
        if (!result.Tokens.All(token => isGood(token.Value))) result.AddError($"{option.Name} takes {wanted}.");
    });

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex NamePattern();
}
