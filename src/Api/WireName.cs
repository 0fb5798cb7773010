using System.Text.Json;

namespace SaferGuard.Api;

/// <summary>How the values of an enumeration are written on the wire and in the store.</summary>
internal static class WireName
{
    public static string Of<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
