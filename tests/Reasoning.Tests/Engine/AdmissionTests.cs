using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Engine;

namespace SaferGuard.Reasoning.Tests.Engine;

/// <summary>A pool of 80 blocks with a lane of 10; prompts of up to 16 tokens are short.</summary>
public class AdmissionTests
{
    private readonly Admission _admission = new(blocks: 80, shortTokens: 16);

    [Fact]
    public void Requests_start_in_order_until_the_pool_is_full()
    {
        var first = Wait(blocks: 50, tokens: 8);
        Wait(blocks: 50, tokens: 8);
        Assert.Same(first, _admission.Next());
        Assert.Null(_admission.Next());
        _admission.Leave(first);
        Assert.NotNull(_admission.Next());
    }

    [Fact]
    public void Long_prompts_leave_the_lane_free_and_short_ones_overtake_in_it()
    {
        for (var i = 0; i < 20; i++) Wait(blocks: 10, tokens: 400);
        var short1 = Wait(blocks: 6, tokens: 8);
        var short2 = Wait(blocks: 6, tokens: 8);

        Assert.Equal(7, Started().Count(r => r != short1 && r != short2));
        Assert.Equal(76, _admission.Reserved);
        _admission.Leave(short1);
        Assert.Same(short2, Assert.Single(Started()));
    }

    [Fact]
    public void A_request_that_needs_the_lane_too_is_not_overtaken()
    {
        var running = Wait(blocks: 10, tokens: 8);
        Assert.Same(running, _admission.Next());
        var big = Wait(blocks: 75, tokens: 400);
        for (var i = 0; i < 5; i++) Wait(blocks: 1, tokens: 8);
        Assert.Null(_admission.Next());
        _admission.Leave(running);
        Assert.Same(big, _admission.Next());
    }

    [Fact]
    public void Nobody_waits_for_ever_whatever_comes()
    {
        var random = new Random(3);
        var running = new List<EngineRequest>();
        var waits = new Dictionary<EngineRequest, int>();
        for (var round = 0; round < 3000; round++)
        {
            var isLong = random.Next(4) == 0;
            waits.Add(Wait(blocks: isLong ? random.Next(20, 81) : random.Next(1, 8), tokens: isLong ? 400 : 8), round);
            foreach (var request in Started())
            {
                Assert.InRange(round - waits[request], 0, 3000);
                waits.Remove(request);
                running.Add(request);
            }

            Assert.InRange(_admission.Reserved, 0, 80);
            for (var i = 0; i < 3 && running.Count > 0; i++)
            {
                var done = running[random.Next(running.Count)];
                running.Remove(done);
                _admission.Leave(done);
            }
        }

        // Every round one comes and up to three go: nothing older than the last few hundred rounds may still wait.
        Assert.All(waits.Values, since => Assert.True(since > 2000, $"waiting since {since}"));
    }

    private List<EngineRequest> Started()
    {
        var started = new List<EngineRequest>();
        while (_admission.Next() is { } request) started.Add(request);
        return started;
    }

    private EngineRequest Wait(int blocks, int tokens)
    {
        var request = new EngineRequest(new Prompt(tokens), blocks);
        _admission.Enqueue(request);
        return request;
    }

    private sealed class Prompt(int tokens) : SequenceProgram
    {
        public override Chunk Start { get; } = Chunk.QueriedAtEnd(new int[tokens]);

        public override Growth Growth => default;

        public override Continuation Advance(LogitRows logits) => Continuation.End;
    }
}
