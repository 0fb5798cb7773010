namespace SaferGuard.Reasoning.Policies;

/// <summary>Reads and validates policy files (YAML).</summary>
public static class PolicyReader
{
    /// <summary>The policy that ships with the code (<c>Policies/default.yaml</c>).</summary>
    public static Policy Default { get; } = Read(DefaultBytes());

    /// <exception cref="InvalidDataException">The file is not a valid policy; the message lists every error.</exception>
    public static Policy Read(ReadOnlyMemory<byte> yaml) => throw new NotImplementedException();

    /// <summary>The bytes of the default policy file, as a bundle stores them.</summary>
    public static byte[] DefaultBytes() => throw new NotImplementedException();
}
