namespace SaferGuard.Client.Grpc;

/// <summary>Values of an enumeration of the protocol, by the names that they share with those of this client.</summary>
internal static class GrpcEnum<TWire>
    where TWire : struct, Enum
{
    /// <summary>The value of the protocol; its default, "unspecified", for none.</summary>
    public static TWire Of<T>(T? value)
        where T : struct, Enum => value is { } given ? Enum.Parse<TWire>(given.ToString()) : default;

    /// <summary>Null when it is unspecified.</summary>
    /// <exception cref="SaferGuardException">This client does not know the value.</exception>
    public static T? Read<T>(TWire wire)
        where T : struct, Enum
    {
        if (wire.Equals(default(TWire))) return null;
        return Enum.IsDefined(wire) && Enum.TryParse<T>(wire.ToString(), out var value)
            ? value
            : throw new SaferGuardException($"SaferGuard answered something that this client does not understand: {typeof(T).Name} {wire}.");
    }

    /// <summary>A value that must be there.</summary>
    /// <exception cref="SaferGuardException">It is unspecified, or this client does not know it.</exception>
    public static T Require<T>(TWire wire)
        where T : struct, Enum => Read<T>(wire) ?? throw new SaferGuardException($"SaferGuard answered no {typeof(T).Name}.");
}
