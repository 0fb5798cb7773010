using System.ComponentModel.DataAnnotations;

namespace SaferGuard.Api.Policies;

/// <summary>Which policies there are and which apply. Section <c>Policies</c>.</summary>
internal sealed class PolicyOptions
{
    /// <summary>
    /// Folder of policy files, relative to the content root. <c>PUT /v1/policies/{id}</c> writes there, and changed files go live by themselves. Null for
    /// a folder beside the store.
    /// </summary>
    [MinLength(1)]
    public string? Folder { get; set; }

    /// <summary>How often the folder is looked at; zero for never.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan ReloadInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Id of the policy that applies where neither the request nor its caller names one; null for the model's own.</summary>
    [MinLength(1)]
    public string? Default { get; set; }

    /// <summary>Id or digest of a policy that judges beside the live one, without effect; null for none.</summary>
    [MinLength(1)]
    public string? Shadow { get; set; }

    /// <summary>Share of the judged requests that the shadow policy judges too.</summary>
    [Range(0.0, 1.0)]
    public double ShadowShare { get; set; } = 0.1;

    /// <summary>Requests that wait for the shadow policy at most; further ones are counted as dropped.</summary>
    [Range(1, 10_000)]
    public int ShadowQueue { get; set; } = 64;

    /// <param name="store">The file of the store.</param>
    public string FolderBeside(string store, string contentRoot) =>
        Path.GetFullPath(Folder ?? Path.ChangeExtension(store, ".policies"), contentRoot);
}
