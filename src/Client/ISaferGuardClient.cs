namespace SaferGuard.Client;

/// <summary>A SaferGuard service, whichever way it is spoken to.</summary>
public interface ISaferGuardClient
{
    /// <summary>Judges a prompt, a conversation or an answer. A refusal is a result, not an error.</summary>
    /// <exception cref="SaferGuardException">The service did not judge.</exception>
    Task<Assessment> AssessAsync(AssessRequest request, CancellationToken cancellationToken = default);

    /// <summary>Judges, then has the service answer or refuse.</summary>
    /// <exception cref="SaferGuardException">The service did not judge, or did not answer.</exception>
    Task<Completion> CompleteAsync(CompleteRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Does what <see cref="CompleteAsync"/> does and tells it while it happens. The last update is a <see cref="CompletionUpdate.Completed"/>; a
    /// stream that ends without one throws.
    /// </summary>
    /// <exception cref="SaferGuardException">The service did not judge, or did not answer to the end.</exception>
    IAsyncEnumerable<CompletionUpdate> StreamAsync(CompleteRequest request, CancellationToken cancellationToken = default);

    /// <summary>Returns a stored judgment; null when there is none with this id. One of a completion is a <see cref="Completion"/>.</summary>
    /// <exception cref="SaferGuardException">The service could not look.</exception>
    Task<Assessment?> FindTraceAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>The stored judgments of the key's tenant, newest first. Pages are asked for as they are needed.</summary>
    /// <param name="decision">Only judgments that decided so.</param>
    /// <exception cref="SaferGuardException">The service could not look.</exception>
    IAsyncEnumerable<Assessment> ListTracesAsync(Decision? decision = null, CancellationToken cancellationToken = default);
}
