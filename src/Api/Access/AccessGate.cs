using Microsoft.AspNetCore.Authorization;

namespace SaferGuard.Api.Access;

/// <summary>Lets a request through to its endpoint when its caller is known and has the endpoint's scope.</summary>
internal sealed class AccessGate(RequestDelegate next, Callers callers)
{
    public async Task InvokeAsync(HttpContext http)
    {
        if (http.GetEndpoint() is { } endpoint && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null)
        {
            var caller = await callers.FindAsync(http);
            var scope = endpoint.Metadata.GetMetadata<RequireScopeAttribute>()?.Scope ?? Scope.None;
            if (!caller.Scopes.HasFlag(scope)) throw Denied.MissingScope(scope);
            http.Features.Set(caller);
        }

        await next(http);
    }
}
