namespace SaferGuard.Reasoning.Templates.Jinja;

internal static class Nesting
{
    public static int Above(IEnumerable<Value> children)
    {
        var depth = 1;
        foreach (var child in children) depth = Math.Max(depth, child.Depth + 1);
        return depth <= Budget.MaxValueDepth
            ? depth
            : throw new TemplateException($"lists and mappings nest more than {Budget.MaxValueDepth} deep");
    }
}
