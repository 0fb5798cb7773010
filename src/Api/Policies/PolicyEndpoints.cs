using System.ComponentModel;
using Microsoft.Net.Http.Headers;
using SaferGuard.Api.Access;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Policies.Shadow;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Api.Policies;

internal static class PolicyEndpoints
{
    private const int MaxListedVersions = 100;

    public static void AddPolicies(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(services => new PolicyFolder(
            services.GetRequiredService<PolicyOptions>().FolderBeside(services.GetRequiredService<StoreOptions>().Path, builder.Environment.ContentRootPath)));
        builder.Services.AddSingleton<PolicyBook>();
        builder.Services.AddSingleton<PolicyMetrics>();
        builder.Services.AddSingleton<ShadowPolicy>();
        builder.Services.AddHostedService<PolicyReloadWorker>();
        builder.Services.AddHostedService<ShadowWorker>();
    }

    public static void MapPolicies(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/policies").WithTags("Policies");

        group.MapGet("", List)
            .WithName("listPolicies")
            .RequireScope(Scope.PoliciesRead)
            .WithSummary("Lists the policies that are live")
            .Produces<PolicyListBody>();

        group.MapGet("/{id}", Get)
            .WithName("getPolicy")
            .RequireScope(Scope.PoliciesRead)
            .WithSummary("Returns a policy as it was written")
            .WithDescription("The body is the file, byte for byte: its SHA-256 is the digest, which is the ETag too. Any version can be named by its digest.")
            .Produces(StatusCodes.Status200OK, contentType: PolicyContent.Yaml, additionalContentTypes: [PolicyContent.Json])
            .Produces(StatusCodes.Status304NotModified)
            .Produces<Problem>(StatusCodes.Status404NotFound, Problem.ContentType);

        group.MapPut("/{id}", PutAsync)
            .WithName("putPolicy")
            .RequireScope(Scope.PoliciesWrite)
            .WithSummary("Makes a version of a policy live")
            .WithDescription(
                "The body is a policy file in YAML or JSON. It is checked as a whole, against the model too; all errors are named, and nothing changes. "
                + "`If-Match` with the digest that is to be replaced keeps two writers apart; `If-None-Match: *` only creates. The version is on disk, "
                + "and applies to the next request, when the response comes.")
            .Accepts<string>(PolicyContent.Yaml, PolicyContent.Json)
            .Produces<PolicySummary>()
            .Produces<PolicySummary>(StatusCodes.Status201Created)
            .ProducesProblems(400, 412, 413, 415, 503);

        group.MapGet("/{id}/versions", Versions)
            .WithName("listPolicyVersions")
            .RequireScope(Scope.PoliciesRead)
            .WithSummary("Lists the versions of a policy, the newest first")
            .Produces<PolicyVersionsBody>()
            .Produces<Problem>(StatusCodes.Status404NotFound, Problem.ContentType);

        group.MapGet("/{id}/shadow", Shadow)
            .WithName("getShadowReport")
            .RequireScope(Scope.PoliciesRead)
            .WithSummary("Says where a shadow policy and the live ones disagree")
            .WithDescription(
                "Counts since the start of the service, of all tenants, for the version of the shadow policy that judges now. "
                + "Requests are those of the caller's tenant.")
            .Produces<ShadowReport>()
            .Produces<Problem>(StatusCodes.Status404NotFound, Problem.ContentType);
    }

    private static PolicyListBody List(PolicyBook book)
    {
        var live = book.Live;
        return new(
            "list",
            [.. live.ById
                .OrderBy(policy => policy.Key, StringComparer.Ordinal)
                .Select(policy => PolicySummary.Of(policy.Value.Policy, live.Sources.GetValueOrDefault(policy.Key)))],
            book.Default.Policy.Id,
            book.Shadow?.Policy.Id,
            [.. live.Invalid.Select(file => new InvalidPolicyBody(file.Name, file.Live is { } l ? BodyOf(l.Policy) : null, FieldsOf(file.Errors)))]);
    }

    private static IResult Get([Description("The `id` of a policy, or the digest of any version.")] string id, HttpContext http, PolicyBook book)
    {
        var policy = Require(book, id).Policy;
        var tag = TagOf(policy.Digest);
        http.Response.GetTypedHeaders().ETag = tag;
        return http.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Compare(tag, useStrongComparison: false))
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Bytes(policy.File, PolicyContent.TypeOf(policy.File.Span));
    }

    private static async Task<IResult> PutAsync([Description("The `id` of the policy, as its file has it.")] string id, HttpContext http, PolicyBook book)
    {
        var file = await PolicyContent.ReadAsync(http);
        var errors = book.Compile(file, out var policy);
        if (policy is null) throw Invalid(FieldsOf(errors));
        if (policy.Policy.Id != id) throw Invalid([new("id", $"must be '{id}', as in the address, not '{policy.Policy.Id}'")]);

        CompiledPolicy? before;
        try
        {
            before = book.Put(policy, live => Require(http, live));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                Errors.PoliciesNotWritable,
                "The version that was live stays so. Let the service write to its folder of policies (Policies:Folder), or change the files there.");
        }

        http.Response.GetTypedHeaders().ETag = TagOf(policy.Policy.Digest);
        var summary = PolicySummary.Of(policy.Policy, book.Live.Sources.GetValueOrDefault(id));
        return before is null ? TypedResults.Created($"/v1/policies/{id}", summary) : TypedResults.Ok(summary);
    }

    private static PolicyVersionsBody Versions([Description("The `id` of a policy.")] string id, PolicyBook book, PolicyFolder folder)
    {
        var live = Require(book, id).Policy;
        var kept = folder.VersionsOf(live.Id);
        var since = kept.ToDictionary(version => version.Digest, version => new DateTimeOffset(version.Since).ToUnixTimeSeconds());
        return new("list", [.. new[] { live.Digest }.Concat(kept.Select(version => version.Digest)).Distinct()
            .Take(MaxListedVersions)
            .Select(digest => book.Find(digest)?.Policy)
            .OfType<Policy>()
            .Select(policy => new PolicyVersionBody(
                policy.Id, policy.Version, policy.Digest, since.TryGetValue(policy.Digest, out var at) ? at : null, policy.Digest == live.Digest))]);
    }

    private static ShadowReport Shadow([Description("The `id` of the shadow policy.")] string id, HttpContext http, PolicyBook book, ShadowPolicy shadow)
    {
        var policy = Require(book, id);
        return shadow.Report(http.Caller().Tenant) is { } report && report.Policy.Digest == policy.Policy.Digest
            ? report
            : throw new ProblemException(
                Errors.PolicyNotFound, "This policy is no shadow. Name it in Policies:Shadow.", new FieldError("id", "is not the id of the shadow policy"));
    }

    private static CompiledPolicy Require(PolicyBook book, string id) => book.Find(id) ?? throw new ProblemException(
        Errors.PolicyNotFound, "See /v1/policies.", new FieldError("id", "is neither the id nor the digest of a policy"));

    /// <summary>The conditions of the request (RFC 9110, section 13), on what is live now.</summary>
    private static void Require(HttpContext http, string? live)
    {
        var headers = http.Request.GetTypedHeaders();
        var tag = live is null ? null : TagOf(live);
        if (headers.IfMatch.Count > 0 && !Names(headers.IfMatch, strong: true))
            throw Changed(live is null ? "there is no such policy" : $"the live version is {live}");
        if (Names(headers.IfNoneMatch, strong: false)) throw Changed($"there is such a policy, and {live} is live");

        bool Names(IList<EntityTagHeaderValue> tags, bool strong) =>
            tag is not null && tags.Any(known => known.Equals(EntityTagHeaderValue.Any) || known.Compare(tag, strong));

        static ProblemException Changed(string what) => new(Errors.PreconditionFailed, $"Nothing was changed: {what}. Read it again.");
    }

    private static EntityTagHeaderValue TagOf(string digest) => new($"\"{digest}\"");

    private static ProblemException Invalid(IReadOnlyList<FieldError> errors) =>
        new(Errors.InvalidRequest, "Mend what is named in errors. No policy was changed.", errors);

    private static IReadOnlyList<FieldError> FieldsOf(IReadOnlyList<PolicyError> errors) =>
        [.. errors.Select(error => new FieldError(error.Path, $"{error.Fault}: {error.Mend}"))];

    private static PolicyBody BodyOf(Policy policy) => new(policy.Id, policy.Version, policy.Digest);

    private static void ProducesProblems(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses) endpoint.Produces<Problem>(status, Problem.ContentType);
    }
}
