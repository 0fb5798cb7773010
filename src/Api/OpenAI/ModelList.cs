using SaferGuard.Api.Upstream;
using SaferGuard.Reasoning.Bundles;

namespace SaferGuard.Api.OpenAI;

/// <summary>The models that there are, in OpenAI's shape.</summary>
/// <param name="Object">Always <c>list</c>.</param>
internal sealed record ModelList(string Object, IReadOnlyList<ListedModel> Data);

/// <param name="Object">Always <c>model</c>.</param>
/// <param name="Created">Unix time in seconds; 0 where nobody says.</param>
internal sealed record ListedModel(string Id, string Object, long Created, string OwnedBy)
{
    public static ListedModel Of(BundleManifest model) => new(model.Id, "model", model.Created.ToUnixTimeSeconds(), "saferguard");

    /// <summary>All that a request may name: the model that judges, which stands for the default one, and those of the upstream that are known.</summary>
    public static IReadOnlyList<ListedModel> All(BundleManifest model, UpstreamOptions upstream) =>
        [Of(model), .. upstream.Names.Where(name => name != model.Id).Select(name => new ListedModel(name, "model", 0, "upstream"))];
}
