using SaferGuard.Api.Completions;
using SaferGuard.Api.Traces;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;
using V1 = SaferGuard.Protocol.V1;

namespace SaferGuard.Api.Tests.Grpc;

public sealed class ContractTests
{
    [Fact]
    public void Every_value_of_an_enumeration_has_its_name_in_the_contract()
    {
        AssertSame<Role, V1.Role>();
        AssertSame<TraceLevel, V1.TraceLevel>();
        AssertSame<OperatingPoint, V1.OperatingPoint>();
        AssertSame<JudgmentKind, V1.JudgmentKind>();
        AssertSame<Decision, V1.Decision>();
        AssertSame<Risk, V1.Risk>();
        AssertSame<Verdict, V1.Verdict>();
        AssertSame<Enforcement, V1.Enforcement>();
        AssertSame<OutputSource, V1.OutputSource>();
        AssertSame<FinishReason, V1.FinishReason>();
    }

    private static void AssertSame<TOurs, TTheirs>()
        where TOurs : struct, Enum
        where TTheirs : struct, Enum =>
        Assert.Equal(Enum.GetNames<TOurs>().Append("Unspecified").Order(StringComparer.Ordinal), Enum.GetNames<TTheirs>().Order(StringComparer.Ordinal));
}
