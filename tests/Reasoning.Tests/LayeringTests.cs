using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace SaferGuard.Reasoning.Tests;

/// <summary>The direction of dependencies, as the README draws it.</summary>
public partial class LayeringTests
{
    private static readonly Dictionary<string, string[]> FoldersOfReasoning = new()
    {
        ["Policies"] = ["Traces"], // the conversations and decisions of a policy's examples
        ["Checkpoints"] = [],
        ["Traces"] = ["Policies"],
        ["Tokens"] = ["Policies", "Traces", "Checkpoints"],
        ["Templates"] = ["Traces", "Tokens"],
        ["Decoding"] = ["Policies", "Traces", "Tokens"],
        ["Lexical"] = ["Traces", "Checkpoints"],
        ["Bundles"] = ["Policies", "Checkpoints", "Tokens", "Templates", "Decoding", "Lexical", "Engine"],
        ["Engine"] = ["Checkpoints", "Tokens", "Decoding"],
    };

    [Theory]
    [InlineData("Reasoning", "")]
    [InlineData("Api", "Reasoning")]
    [InlineData("Exporter", "Reasoning")]
    [InlineData("Training", "Reasoning")]
    [InlineData("Client", "")]
    public void A_project_references_only_what_the_house_allows(string project, string allowed)
    {
        var references = Items(project, "ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Replace('\\', '/')));
        Assert.Equal(allowed.Split(',', StringSplitOptions.RemoveEmptyEntries), references);
    }

    [Fact]
    public void Only_training_references_torch()
    {
        foreach (var project in new[] { "Reasoning", "Api", "Exporter", "Client" })
            Assert.DoesNotContain(Items(project, "PackageReference"), p => p.Contains("torch", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Reasoning_knows_no_web_server_database_or_rpc()
    {
        var assemblies = typeof(Guard).Assembly.GetReferencedAssemblies().Select(a => a.Name!);
        Assert.DoesNotContain(assemblies, a => a.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)
            || a.Contains("EntityFramework", StringComparison.Ordinal) || a.StartsWith("Grpc", StringComparison.Ordinal));
    }

    [Fact]
    public void Folders_of_reasoning_use_only_those_below_them()
    {
        foreach (var (folder, allowed) in FoldersOfReasoning)
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(Root(), "src", "Reasoning", folder), "*.cs", SearchOption.AllDirectories))
            {
                foreach (Match match in UsingOfFolder().Matches(File.ReadAllText(file)))
                {
                    var used = match.Groups[1].Value;
                    Assert.True(used == folder || allowed.Contains(used), $"{folder}/{Path.GetFileName(file)} uses {used}.");
                }
            }
        }
    }

    [GeneratedRegex(@"using SaferGuard\.Reasoning\.(\w+)")]
    private static partial Regex UsingOfFolder();

    private static IEnumerable<string> Items(string project, string kind) =>
        XDocument.Load(Path.Combine(Root(), "src", project, $"{project}.csproj")).Descendants(kind).Select(e => e.Attribute("Include")!.Value);

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SaferGuard.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
