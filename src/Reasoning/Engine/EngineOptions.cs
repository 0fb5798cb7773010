namespace SaferGuard.Reasoning.Engine;

/// <summary>Bounds of the engine. Nothing in it grows beyond them.</summary>
public sealed record EngineOptions
{
    /// <summary>Tokens of the key/value pool, over all sequences; rounded up to whole blocks.</summary>
    public int CacheTokens { get; init; } = 65_536;

    /// <summary>Tokens of one forward pass, over all sequences.</summary>
    public int MaxBatchTokens { get; init; } = 2_048;

    /// <summary>
    /// Tokens of long prompts in one pass; a prompt of at most this many is short. More makes passes longer, and with them what others wait for.
    /// </summary>
    public int MaxChunkTokens { get; init; } = 128;

    /// <summary>Tokens of the pool that are kept for requests that begin alike, while no request uses them; 0 turns the prefix cache off.</summary>
    public int PrefixCacheTokens { get; init; } = 32_768;

    /// <summary>A request that is not finished after this time is given up.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Sequences of one forward pass.</summary>
    public int MaxBatchSequences { get; init; } = 256;

    /// <summary>Rows of logits of one forward pass.</summary>
    public int MaxBatchQueries { get; init; } = 1_024;

    /// <summary>Requests that may wait or run; one more is refused.</summary>
    public int MaxQueuedRequests { get; init; } = 1_024;

    /// <summary>Tokens of a conversation; bounded by the model's positions too.</summary>
    public int MaxPromptTokens { get; init; } = 4_096;

    /// <summary>The format of the key/value pool.</summary>
    public KvCacheFormat KvCache { get; init; }

    /// <summary>Threads of ONNX Runtime; 0 for one per core.</summary>
    public int Threads { get; init; }

    /// <summary>What the model computes on; its bundle must have been exported for it.</summary>
    public Device Device { get; init; }

    /// <summary>Which of several devices of that kind.</summary>
    public int DeviceId { get; init; }

    /// <summary>Every value that is out of range, by name.</summary>
    public IEnumerable<string> Errors()
    {
        if (!Enum.IsDefined(Device)) yield return $"{nameof(Device)} is {Device}; it must be {string.Join(" or ", Enum.GetNames<Device>())}.";
        if (Device == Device.Cuda && KvCache != KvCacheFormat.Fp32)
            yield return $"{nameof(KvCache)} is {KvCache}, but on {Device} the pool has the type of the weights; leave it out.";
        foreach (var (name, value, least) in new[]
        {
            (nameof(CacheTokens), CacheTokens, 256), (nameof(MaxBatchTokens), MaxBatchTokens, 64), (nameof(MaxChunkTokens), MaxChunkTokens, 16),
            (nameof(MaxBatchSequences), MaxBatchSequences, 1), (nameof(MaxBatchQueries), MaxBatchQueries, 64),
            (nameof(MaxQueuedRequests), MaxQueuedRequests, 1), (nameof(PrefixCacheTokens), PrefixCacheTokens, 0),
            (nameof(MaxPromptTokens), MaxPromptTokens, 16), (nameof(Threads), Threads, 0), (nameof(DeviceId), DeviceId, 0),
        })
        {
            if (value < least || value > 1 << 24) yield return $"{name} is {value}; it must lie between {least} and {1 << 24}.";
        }

        if (RequestTimeout <= TimeSpan.Zero || RequestTimeout > TimeSpan.FromDays(1))
            yield return $"{nameof(RequestTimeout)} is {RequestTimeout}; it must be above 0 and at most a day.";
        if (!Enum.IsDefined(KvCache)) yield return $"{nameof(KvCache)} is {KvCache}; it must be one of {string.Join(", ", Enum.GetNames<KvCacheFormat>())}.";
    }
}
