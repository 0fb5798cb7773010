using Microsoft.Extensions.Options;
using SaferGuard.Api.Access;
using SaferGuard.Api.Access.Idempotency;
using SaferGuard.Api.Access.RateLimits;
using SaferGuard.Api.Cache;
using SaferGuard.Api.Conversations;
using SaferGuard.Api.Failures;
using SaferGuard.Api.Grpc;
using SaferGuard.Api.Policies;
using SaferGuard.Api.Upstream;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Api.Configuration;

internal static partial class ServiceConfiguration
{
    /// <summary>Binds every section of the configuration strictly: an unknown key is an error, and all errors are reported at once when the service starts.</summary>
    public static void AddConfiguration(this WebApplicationBuilder builder)
    {
        builder.Services.AddSection<ModelOptions, ModelValidator>("Model");
        builder.Services.AddSection<EngineOptions, EngineValidator>("Engine");
        builder.Services.AddSection<StoreOptions, StoreValidator>("Store");
        builder.Services.AddSection<LimitOptions, LimitValidator>("Limits");
        builder.Services.AddSection<ShutdownOptions, ShutdownValidator>("Shutdown");
        builder.Services.AddSection<TelemetryOptions, TelemetryValidator>("Telemetry");
        builder.Services.AddSection<PolicyOptions, PolicyValidator>("Policies");
        builder.Services.AddSection<CacheOptions, CacheValidator>("Cache");
        builder.Services.AddSection<AccessOptions, AccessValidator>("Access");
        builder.Services.AddSection<RedisOptions, RedisValidator>("Redis");
        builder.Services.AddSection<IdempotencyOptions, IdempotencyValidator>("Idempotency");
        builder.Services.AddSection<GrpcOptions, GrpcValidator>(GrpcOptions.Section);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSection<UpstreamOptions, UpstreamValidator>("Upstream");
        builder.Services.AddSection<WindowOptions, WindowValidator>("Windows");
        builder.Services.AddSection<FailureOptions, FailureValidator>("Failure");
        builder.AddAddresses();
    }

    private static void AddSection<TOptions, TValidator>(this IServiceCollection services, string section)
        where TOptions : class
        where TValidator : class, IValidateOptions<TOptions>
    {
        services.AddSingleton<IValidateOptions<TOptions>, TValidator>();
        services.AddOptions<TOptions>().Configure<IConfiguration>((options, all) => Bind(options, all.GetSection(section))).ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<TOptions>>().Value);
    }

    private static void Bind<TOptions>(TOptions options, IConfigurationSection section)
        where TOptions : class
    {
        try
        {
            section.Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException unreadable)
        {
            // The start-up check collects only this type, over all sections.
            throw new OptionsValidationException(section.Key, typeof(TOptions), [$"{section.Key}: {unreadable.Message}"]);
        }
    }

    private sealed class EngineValidator : IValidateOptions<EngineOptions>
    {
        public ValidateOptionsResult Validate(string? name, EngineOptions options)
        {
            var errors = options.Errors().Select(error => $"Engine: {error}").ToList();
            return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
        }
    }

    private sealed class GrpcValidator : IValidateOptions<GrpcOptions>
    {
        public ValidateOptionsResult Validate(string? name, GrpcOptions options)
        {
            var errors = options.Errors().Select(error => $"{GrpcOptions.Section}: {error}").ToList();
            return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
        }
    }

    [OptionsValidator]
    private sealed partial class ModelValidator : IValidateOptions<ModelOptions>;

    [OptionsValidator]
    private sealed partial class StoreValidator : IValidateOptions<StoreOptions>;

    [OptionsValidator]
    private sealed partial class LimitValidator : IValidateOptions<LimitOptions>;

    [OptionsValidator]
    private sealed partial class ShutdownValidator : IValidateOptions<ShutdownOptions>;

    [OptionsValidator]
    private sealed partial class UpstreamValidator : IValidateOptions<UpstreamOptions>;

    [OptionsValidator]
    private sealed partial class WindowValidator : IValidateOptions<WindowOptions>;

    [OptionsValidator]
    private sealed partial class FailureValidator : IValidateOptions<FailureOptions>;

    [OptionsValidator]
    private sealed partial class TelemetryValidator : IValidateOptions<TelemetryOptions>;

    [OptionsValidator]
    private sealed partial class PolicyValidator : IValidateOptions<PolicyOptions>;

    [OptionsValidator]
    private sealed partial class CacheValidator : IValidateOptions<CacheOptions>;

    [OptionsValidator]
    private sealed partial class AccessValidator : IValidateOptions<AccessOptions>;

    [OptionsValidator]
    private sealed partial class RedisValidator : IValidateOptions<RedisOptions>;

    [OptionsValidator]
    private sealed partial class IdempotencyValidator : IValidateOptions<IdempotencyOptions>;
}
