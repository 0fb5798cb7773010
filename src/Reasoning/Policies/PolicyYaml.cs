using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace SaferGuard.Reasoning.Policies;

/// <summary>
/// Loads one plain YAML document from untrusted bytes. Events are checked before any tree is built: anchors and aliases could blow the tree up,
/// tags could name types, and deep nesting could exhaust the stack.
/// </summary>
internal static class PolicyYaml
{
    public const int MaxDepth = 16;

    /// <summary>The root node, or null with the reason in <paramref name="errors"/>.</summary>
    public static YamlNode? Load(ReadOnlyMemory<byte> yaml, PolicyErrors errors)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(yaml.Span);
            if (!IsPlain(text, errors)) return null;
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return stream.Documents is [var document] ? document.RootNode : errors.Add<YamlNode>("file", "is empty", "write a policy");
        }
        catch (DecoderFallbackException)
        {
            return errors.Add<YamlNode>("file", "is not valid UTF-8", "save it as UTF-8");
        }
        catch (YamlException e)
        {
            return errors.Add<YamlNode>($"line {e.Start.Line}, column {e.Start.Column}", $"is not valid YAML ({e.Message.TrimEnd('.')})", "mend the syntax");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException)
        {
            // What the scanner throws on some malformed texts instead of its own exception.
            return errors.Add<YamlNode>("file", "is not valid YAML", "mend the syntax");
        }
    }

    private static bool IsPlain(string text, PolicyErrors errors)
    {
        var parser = new Parser(new StringReader(text));
        var (depth, documents) = (0, 0);
        while (parser.MoveNext())
        {
            var current = parser.Current!;
            var line = $"line {current.Start.Line}";
            if (current is DocumentStart && ++documents > 1)
            {
                errors.Add(line, "starts a second document", "write exactly one");
                return false;
            }

            depth += current.NestingIncrease;
            if (depth > MaxDepth)
            {
                errors.Add(line, "is nested too deeply", "follow the shape policy, categories, rules");
                return false;
            }

            if (current is AnchorAlias || current is NodeEvent { Anchor.IsEmpty: false })
            {
                errors.Add(line, "has an anchor or alias", "write the value out");
            }
            else if (current is NodeEvent { Tag.IsEmpty: false })
            {
                errors.Add(line, "has a type tag", "remove it");
            }
        }

        return !errors.Any;
    }
}
