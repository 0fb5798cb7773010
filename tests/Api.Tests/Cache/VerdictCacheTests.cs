using CsCheck;
using SaferGuard.Api.Cache;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Api.Tests.Cache;

public sealed class VerdictCacheTests
{
    [Fact]
    public void What_was_added_is_found_until_it_expires()
    {
        var clock = new SetClock();
        var cache = new VerdictCache(new() { Expiry = TimeSpan.FromMinutes(1) }, clock);
        cache.Add(Key(1), JudgmentOf("one"));

        clock.Now += TimeSpan.FromSeconds(59);
        Assert.Equal("one", cache.Find(Key(1))?.Trace.Assessment.Intent);
        Assert.Null(cache.Find(Key(2)));
        clock.Now += TimeSpan.FromSeconds(1);
        Assert.Null(cache.Find(Key(1)));
        Assert.Equal((0, 0L), (cache.Count, cache.Bytes));
    }

    [Fact]
    public void The_longest_unused_is_forgotten_first()
    {
        var cache = new VerdictCache(new() { MaxEntries = 2 }, new SetClock());
        cache.Add(Key(1), JudgmentOf("one"));
        cache.Add(Key(2), JudgmentOf("two"));
        cache.Find(Key(1));
        cache.Add(Key(3), JudgmentOf("three"));

        Assert.NotNull(cache.Find(Key(1)));
        Assert.Null(cache.Find(Key(2)));
        Assert.NotNull(cache.Find(Key(3)));
    }

    [Fact]
    public void Whatever_is_added_number_and_size_stay_within_their_bounds() =>
        Gen.Select(Gen.Int[0, 20], Gen.Int[0, 30_000]).Array[1, 200].Sample(added =>
        {
            var cache = new VerdictCache(new() { MaxEntries = 8, MaxBytes = 64 * 1024 }, new SetClock());
            foreach (var (key, length) in added)
            {
                cache.Add(Key(key), JudgmentOf(new string('x', length)));
                Assert.InRange(cache.Count, 0, 8);
                Assert.InRange(cache.Bytes, 0, 64 * 1024);
            }

            Assert.True((cache.Count == 0) == (cache.Bytes == 0));
        });

    [Fact]
    public void A_key_tells_apart_all_that_a_judgment_follows_from()
    {
        Turn[] turns = [new(Role.User, "ab"), new(Role.Assistant, "c")];
        VerdictKey[] keys =
        [
            Of("t", "m", "p", OperatingPoint.Balanced, TraceLevel.Full, turns),
            Of("u", "m", "p", OperatingPoint.Balanced, TraceLevel.Full, turns),
            Of("t", "n", "p", OperatingPoint.Balanced, TraceLevel.Full, turns),
            Of("t", "m", "q", OperatingPoint.Balanced, TraceLevel.Full, turns),
            Of("t", "m", "p", OperatingPoint.Strict, TraceLevel.Full, turns),
            Of("t", "m", "p", OperatingPoint.Balanced, TraceLevel.Brief, turns),
            Of("t", "m", "p", OperatingPoint.Balanced, TraceLevel.Full, [new(Role.User, "a"), new(Role.Assistant, "bc")]),
            Of("t", "m", "p", OperatingPoint.Balanced, TraceLevel.Full, [new(Role.User, "ab"), new(Role.User, "c")]),
            Of("t", "m", "p", OperatingPoint.Balanced, TraceLevel.Full, [new(Role.User, "ab")]),
            VerdictKey.Of("t", "m", "p", OperatingPoint.Balanced, TraceLevel.Full, new(turns, Subject.Response)),
        ];

        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], Of("t", "m", "p", OperatingPoint.Balanced, TraceLevel.Full, [.. turns]));

        static VerdictKey Of(string tenant, string model, string policy, OperatingPoint point, TraceLevel level, Turn[] turns) =>
            VerdictKey.Of(tenant, model, policy, point, level, new(turns));
    }

    private static VerdictKey Key(int number) => new(0, (UInt128)number);

    private static Judgment JudgmentOf(string intent) => new(
        new Trace(new AssessmentStage(intent, [], Risk.None), [], new PathStage(Decision.Answer, null)), new(1, 0, 0), [],
        new(1, 1, 1, 0, 2), new(default, default, default, default));

    private sealed class SetClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
