namespace SaferGuard.Api.Operations;

/// <summary>Keeps browsers from guessing types, and caches from keeping judgments.</summary>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http)
    {
        http.Response.Headers.XContentTypeOptions = "nosniff";
        if (http.Request.Path.StartsWithSegments("/v1")) http.Response.Headers.CacheControl = "no-store";
        return next(http);
    }
}
