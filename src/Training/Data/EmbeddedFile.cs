using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace SaferGuard.Training.Data;

/// <summary>The tables and lexicons that are compiled into this assembly.</summary>
internal static class EmbeddedFile
{
    private static readonly IDeserializer _yaml =
        new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).Build();

    public static T ReadYaml<T>(string name) => _yaml.Deserialize<T>(ReadText(name));

    /// <summary>Rows of a tab-separated table, without comments (#) and empty lines.</summary>
    public static IEnumerable<string[]> ReadTable(string name) =>
        ReadText(name).Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t'));

    private static string ReadText(string name)
    {
        using var stream = typeof(EmbeddedFile).Assembly.GetManifestResourceStream(name)
            ?? throw new FileNotFoundException($"The assembly has no file '{name}'.", name);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
