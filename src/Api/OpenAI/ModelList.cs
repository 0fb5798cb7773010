using SaferGuard.Reasoning.Bundles;

namespace SaferGuard.Api.OpenAI;

/// <summary>The models that there are, in OpenAI's shape.</summary>
/// <param name="Object">Always <c>list</c>.</param>
internal sealed record ModelList(string Object, IReadOnlyList<ListedModel> Data);

/// <param name="Object">Always <c>model</c>.</param>
/// <param name="Created">Unix time in seconds.</param>
internal sealed record ListedModel(string Id, string Object, long Created, string OwnedBy)
{
    public static ListedModel Of(BundleManifest model) => new(model.Id, "model", model.Created.ToUnixTimeSeconds(), "saferguard");
}
