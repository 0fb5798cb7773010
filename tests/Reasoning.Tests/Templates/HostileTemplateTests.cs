using System.Diagnostics;
using CsCheck;
using SaferGuard.Reasoning.Templates;

namespace SaferGuard.Reasoning.Tests.Templates;

/// <summary>A template comes with a model: it may be made to harm the service.</summary>
public sealed class HostileTemplateTests
{
    private static readonly string[] Pieces =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", " ", "\n", "if ", "elif ", "else", "endif", "for ", " in ", "endfor", "set ", "endset",
        "macro ", "endmacro", "break", "continue", "raw", "endraw", "filter ", "endfilter", "generation", "x", "y", "loop", "namespace()",
        "m()", "(", ")", "[", "]", "{", "}", ":", ",", ".", "|", "=", "==", "<", " is ", " not ", "defined", "trim", "join", "split", "'a'", "''",
        "\"", "\\", "1", "2.5", "1e9", "9999999999", "*", "**", "//", "%", "~", "[::-1]", "range(9)", ".items()", "|list", "|tojson", "|length", "😀",
    ];

    public static TheoryData<string> Bombs => new(
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s.replace('a', 'aa') %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | tojson }}",
        "{{ 'a' * 9223372036854775807 }}",
        "{{ ('a' * 9000000000) | length }}",
        "{{ 'aaaaaaaa' | indent(4000000000, true) }}",
        "{{ [1] | tojson(indent=4000000000) }}",
        "{{ range(9223372036854775807) }}",
        "{{ range(0, 99999) | list | map('string') | join(',') * 1000 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{% for i in range(9) %}{{ m(n) }}{% endfor %}{% endmacro %}{{ m(1) }}",
        "{% set a = 'a' * 900000 %}{% set b = 'a' * 400000 ~ 'b' %}{{ b in a }}",
        "{% set a = 'a' * 900000 %}{% for i in range(9999) %}{{ a.split('a') | length }}{% endfor %}",
        "{% set a = 'a' * 90000 %}{% for i in range(9999) %}{{ a | list | sort | length }}{% endfor %}",
        "{{ range(99999) | list | unique | list }}",
        "{{ [1, 'a', none] | sort }}",
        "{{ {1: 1, 'a': 1} | tojson(sort_keys=true) }}",
        "{{ 2 ** 62 ** 62 }}",
        "{{ 3 ** 9223372036854775807 }}",
        "{% set ns = namespace() %}{% set ns.x = [ns] %}{% for i in range(99) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}");

    public static TheoryData<string> DeepNests => new(
        Repeat("(", 50_000), Repeat("[", 50_000), Repeat("{1:", 50_000), Repeat("not ", 50_000), Repeat("-", 50_000), Repeat("a if b else ", 20_000),
        "1" + Repeat("+1", 50_000), "x" + Repeat(".x", 50_000), "x" + Repeat("[0]", 50_000), "x" + Repeat("|trim", 50_000), "m" + Repeat("()", 50_000),
        "1" + Repeat("**1", 50_000), "1" + Repeat(" and 1", 40_000), "x[" + Repeat("x[", 50_000));

    [Theory]
    [MemberData(nameof(Bombs))]
    public void Time_and_memory_are_bounded(string template)
    {
        var (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
        Assert.Throws<TemplateException>(() => Rendering.Render(template));
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 2L << 30);
    }

    [Theory]
    [MemberData(nameof(DeepNests))]
    public void Deep_nesting_is_refused_before_the_stack_ends(string expression) =>
        OnSmallStack(() => Assert.Throws<TemplateException>(() => Rendering.Render("{% set x = 'a' %}{{ " + expression + " }}")));

    [Fact]
    public void Deep_blocks_and_calls_are_refused_before_the_stack_ends() => OnSmallStack(() =>
    {
        Assert.Throws<TemplateException>(() => Rendering.Render(Repeat("{% if 1 %}", 20_000)));
        Assert.Throws<TemplateException>(() => Rendering.Render(Repeat("{% for a in [1] %}", 10_000)));
        Assert.Throws<TemplateException>(() => Rendering.Render("{% macro m() %}{{ " + Repeat("[", 60) + "m()" + Repeat("]", 60) + " }}{% endmacro %}{{ m() }}"));
        Assert.Throws<TemplateException>(() => Rendering.Render(
            "{% macro m(x) %}{% if x %}{% for i in [[m(x) | trim | upper] | join] %}{{ i }}{% endfor %}{% endif %}{% endmacro %}{{ m(1) }}"));
    });

    [Fact]
    public void A_template_of_any_tokens_renders_or_is_refused() => Gen.Int[0, Pieces.Length - 1].Array[0, 40].Sample(
        choices =>
        {
            var template = string.Concat(choices.Select(i => Pieces[i]));
            try
            {
                Rendering.Render(template, """{"x": ["a", {"y": 1}], "y": "b c"}""");
            }
            catch (TemplateException e)
            {
                Assert.StartsWith("The chat template, line ", e.Message, StringComparison.Ordinal);
            }
        },
        iter: 20_000);

    [Fact]
    public void A_template_that_is_too_large_is_refused() =>
        Assert.Contains("256 K", Assert.Throws<TemplateException>(() => Rendering.Render(Repeat("a", 300_000))).Message, StringComparison.Ordinal);

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    private static void OnSmallStack(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    action();
                }
                catch (Exception e)
                {
                    failure = e;
                }
            },
            maxStackSize: 512 << 10);
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
