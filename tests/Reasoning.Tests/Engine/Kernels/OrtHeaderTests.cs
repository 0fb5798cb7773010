using System.Reflection;
using System.Text.RegularExpressions;
using SaferGuard.Reasoning.Engine.Kernels;

namespace SaferGuard.Reasoning.Tests.Engine.Kernels;

/// <summary>The slots and layouts that the custom ops rely on, against the header of the ONNX Runtime package in use.</summary>
public sealed partial class OrtHeaderTests
{
    private static readonly string Source = File.ReadAllText(
        typeof(OrtHeaderTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "OnnxRuntimeHeader").Value!)
        .ReplaceLineEndings("\n");

    private static readonly string Declarations = CommentOrDirective().Replace(Source, "");

    [Fact]
    public void Each_slot_is_where_the_header_has_its_function()
    {
        var functions = Members("OrtApi");
        foreach (var slot in Enum.GetValues<OrtApiSlot>())
            Assert.Equal(slot.ToString(), functions[(int)slot]);
    }

    [Fact]
    public void The_custom_op_struct_has_the_members_of_the_header_in_order()
    {
        var fields = typeof(OrtCustomOp).GetFields().Select(field => field.Name);
        Assert.Equal(["Version", .. Members("OrtCustomOp")], fields);
    }

    [Fact]
    public void The_header_is_of_the_version_that_is_asked_for() =>
        Assert.Contains($"#define ORT_API_VERSION {OrtFunctions.Version}\n", Source, StringComparison.Ordinal);

    /// <summary>The names of a struct's function pointers, in order, however they are declared.</summary>
    private static List<string> Members(string structName)
    {
        var begin = Declarations.IndexOf($"struct {structName} {{", StringComparison.Ordinal);
        var body = Declarations[begin..Declarations.IndexOf("\n};", begin, StringComparison.Ordinal)];
        return [.. FunctionPointer().Matches(body).Select(match =>
            (match.Groups["release"].Success ? "Release" : "") + match.Groups["name"].Value)];
    }

    [GeneratedRegex(@"/\*.*?\*/|//[^\n]*|^[ \t]*#[^\n]*", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CommentOrDirective();

    [GeneratedRegex(@"ORT_API2_STATUS\(\s*(?<name>\w+)|(?<release>ORT_CLASS_RELEASE)\(\s*(?<name>\w+)|ORT_API_T\([^,]+,\s*(?<name>\w+)|\(ORT_API_CALL\s*\*\s*(?<name>\w+)\)")]
    private static partial Regex FunctionPointer();
}
