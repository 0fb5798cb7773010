namespace SaferGuard.Reasoning.Engine;

/// <summary>
/// Holds waiting requests and lets them in, in order of arrival, as long as their worst case fits into the pool: what runs is never evicted.
/// A lane, an eighth of the pool, is kept from long prompts and lets short ones overtake a long one that waits, so that a flood of long prompts
/// does not hold up short ones, nor the reverse.
/// </summary>
internal sealed class Admission(int blocks, int shortTokens)
{
    private readonly int _lane = blocks / 8;
    private readonly List<EngineRequest> _waiting = [];
    private int _reserved, _overtaking;

    public int Waiting => _waiting.Count;

    /// <summary>Blocks set aside for what runs.</summary>
    public int Reserved => _reserved;

    public void Enqueue(EngineRequest request) => _waiting.Add(request);

    /// <summary>Takes out the next request that may start, or null.</summary>
    public EngineRequest? Next()
    {
        for (var i = 0; i < _waiting.Count; i++)
        {
            var request = _waiting[i];
            if (!MayStart(request, overtakes: i > 0)) continue;
            _waiting.RemoveAt(i);
            request.Overtakes = i > 0;
            _reserved += request.ReservedBlocks;
            if (request.Overtakes) _overtaking += request.ReservedBlocks;
            return request;
        }

        return null;
    }

    /// <summary>Gives back what a request that ran had set aside.</summary>
    public void Leave(EngineRequest request)
    {
        _reserved -= request.ReservedBlocks;
        if (request.Overtakes) _overtaking -= request.ReservedBlocks;
    }

    public void DropAbandoned() => _waiting.RemoveAll(static r => r.IsDone);

    public void FailAll(Exception reason)
    {
        foreach (var request in _waiting) request.Fail(reason);
        _waiting.Clear();
    }

    private bool MayStart(EngineRequest request, bool overtakes)
    {
        var isShort = request.Program.Start.Tokens.Length <= shortTokens;
        var needed = _reserved + request.ReservedBlocks;
        if (!overtakes) return needed <= (isShort || request.ReservedBlocks > blocks - _lane ? blocks : blocks - _lane);

        // A request that needs more than the pool without its lane can start only when nothing overtakes it.
        return isShort && needed <= blocks
            && _overtaking + request.ReservedBlocks <= _lane
            && _waiting[0].ReservedBlocks <= blocks - _lane;
    }
}
