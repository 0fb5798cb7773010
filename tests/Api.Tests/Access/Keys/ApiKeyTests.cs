using System.Reflection;
using System.Reflection.Emit;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using SaferGuard.Api.Access.Keys;

namespace SaferGuard.Api.Tests.Access.Keys;

public sealed class ApiKeyTests
{
    [Fact]
    public void A_key_is_recognised_by_its_form_and_proven_by_its_hash()
    {
        var key = ApiKey.Create();

        Assert.Matches("^sg_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$", key.Text);
        var read = ApiKey.TryParse(key.Text)!;
        Assert.Equal(key.Id, read.Id);
        Assert.True(read.Matches(SHA256.HashData(Encoding.ASCII.GetBytes(key.Text))));
    }

    [Fact]
    public void No_two_keys_are_alike()
    {
        var keys = Enumerable.Range(0, 1000).Select(_ => ApiKey.Create()).ToList();

        Assert.Equal(1000, keys.Select(key => key.Id).Distinct().Count());
        Assert.Equal(1000, keys.Select(key => key.Text[^43..]).Distinct().Count());
    }

    [Theory]
    [InlineData("")]
    [InlineData("sg_")]
    [InlineData("sk-proj-0123456789")]
    [InlineData("SG_0123456789ab_0123456789012345678901234567890123456789012")]
    [InlineData("sg_0123456789AB_0123456789012345678901234567890123456789012")]
    [InlineData("sg_0123456789ab-0123456789012345678901234567890123456789012")]
    [InlineData("sg_0123456789ab_012345678901234567890123456789012345678901")]
    [InlineData("sg_0123456789ab_01234567890123456789012345678901234567890123")]
    [InlineData("sg_0123456789ab_01234567890123456789012345678901234567890 2")]
    [InlineData("sg_0123456789ab_01234567890123456789012345678901234567890é2")]
    public void Other_text_is_not_read_as_a_key(string text) => Assert.Null(ApiKey.TryParse(text));

    [Fact]
    public void A_key_of_which_one_character_was_changed_does_not_match()
    {
        var key = ApiKey.Create();

        Gen.Select(Gen.Int[0, key.Text.Length - 1], Gen.Char['!', '~']).Sample((at, character) =>
        {
            var changed = key.Text[..at] + character + key.Text[(at + 1)..];
            return changed == key.Text || ApiKey.TryParse(changed)?.Matches(key.Hash) != true;
        });
    }

    [Fact]
    public void A_key_that_is_written_by_accident_shows_only_its_id()
    {
        var key = ApiKey.Create();

        Assert.Equal(key.Id, $"{key}");
    }

    [Fact]
    public void Hashes_are_compared_in_fixed_time()
    {
        var matches = typeof(ApiKey).GetMethod(nameof(ApiKey.Matches))!;

        Assert.Contains(
            typeof(CryptographicOperations).GetMethod(nameof(CryptographicOperations.FixedTimeEquals)),
            Calls(matches));
    }

    /// <summary>The methods that a method calls: their tokens follow the opcode in its body.</summary>
    private static IEnumerable<MethodBase?> Calls(MethodInfo method)
    {
        var code = method.GetMethodBody()!.GetILAsByteArray()!;
        for (var at = 0; at < code.Length - 4; at++)
        {
            if (code[at] == OpCodes.Call.Value && BitConverter.ToInt32(code, at + 1) is var token && token >> 24 is 0x06 or 0x0A or 0x2B)
                yield return Resolve(method.Module, token);
        }
    }

    private static MethodBase? Resolve(Module module, int token)
    {
        try
        {
            return module.ResolveMethod(token);
        }
        catch (ArgumentException)
        {
            // Bytes that only look like a call.
            return null;
        }
    }
}
