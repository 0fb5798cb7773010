using System.Globalization;
using StackExchange.Redis;

namespace SaferGuard.Api.Access.RateLimits;

/// <summary>
/// What <see cref="LocalRateLimiter"/> does, as one atomic step of Redis, by the clock of Redis. A caller is a hash of the times at which its
/// quotas are whole again, in microseconds; it expires when they are.
/// </summary>
internal static class SpendScript
{
    public const string Text =
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local window = 60000000
        local names = {'requests', 'tokens'}
        local whole = redis.call('HMGET', KEYS[1], names[1], names[2])
        local refill = {}
        local admitted = 1
        for i = 1, 2 do
          local quota = tonumber(ARGV[2 * i - 1])
          refill[i] = math.max((tonumber(whole[i]) or 0) - now, 0)
          if quota == 0 then
            refill[i] = 0
          elseif ARGV[5] == '0' and refill[i] + window / quota > window + 1 then
            admitted = 0
          end
        end
        if admitted == 1 then
          for i = 1, 2 do
            local quota = tonumber(ARGV[2 * i - 1])
            if quota > 0 then
              refill[i] = refill[i] + window * tonumber(ARGV[2 * i]) / quota
              redis.call('HSET', KEYS[1], names[i], string.format('%.0f', now + refill[i]))
            end
          end
          redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(refill[1], refill[2]) / 1000) + 1)
        end
        return {admitted, string.format('%.0f', refill[1]), string.format('%.0f', refill[2])}
        """;

    public static RedisKey Key(string caller) => $"saferguard:used:{caller}";

    public static Admission Read(RedisResult reply, CallerLimits limits)
    {
        var values = (RedisValue[])reply!;
        return new(values[0] == 1, Allowances.Of(limits, Microseconds(values[1]), Microseconds(values[2])));
    }

    private static TimeSpan Microseconds(RedisValue value) => TimeSpan.FromMicroseconds(double.Parse(value.ToString(), CultureInfo.InvariantCulture));
}
