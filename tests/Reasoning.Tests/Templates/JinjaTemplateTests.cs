using SaferGuard.Reasoning.Templates;

namespace SaferGuard.Reasoning.Tests.Templates;

/// <summary>The language, as jinja2 3.1.6 in the settings of transformers answers.</summary>
public sealed class JinjaTemplateTests
{
    private const string Variables = """
        {"e": "", "u": "a😀b𝒜c", "l": [1, 2, 3], "ls": ["b", "A", "c", "a"], "n": null, "t": true, "f": 1.5, "i": 7, "q": "it's",
         "d": {"b": 1, "a": [1, {"x": null}], "items": 5}, "bs": "a\\b\n\t\u0007é\u200b",
         "objs": [{"k": "x", "v": 1}, {"k": "y", "v": 0}, {"k": "x", "v": 2}, {"z": 1}]}
        """;

    [Theory]
    [InlineData("1 + 2 * 3", "7")]
    [InlineData("-7 // 2", "-4")]
    [InlineData("7 % -3", "-2")]
    [InlineData("-2 ** 2", "4")]
    [InlineData("2 ** 10", "1024")]
    [InlineData("6 / 2", "3.0")]
    [InlineData("1e-5", "1e-05")]
    [InlineData("1e15", "1000000000000000.0")]
    [InlineData("0.1 + 0.2", "0.30000000000000004")]
    [InlineData("'a' ~ 1 ~ none ~ true ~ 1.5", "a1NoneTrue1.5")]
    [InlineData("'a' + 'b' * 3", "abbb")]
    [InlineData("[1] + [2]", "[1, 2]")]
    [InlineData("[1, 'a', none, true, 1.5, (1,), {'k': 'v'}]", "[1, 'a', None, True, 1.5, (1,), {'k': 'v'}]")]
    [InlineData("[q, bs]", """["it's", 'a\\b\n\t\x07é\u200b']""")]
    [InlineData("'a' 'b'", "ab")]
    [InlineData("""'\x41\u00e9\U0001F600\q\101'""", "Aé😀\\qA")]
    public void Values_are_computed_and_written_as_in_Python(string expression, string expected) => Gives(expression, expected);

    [Theory]
    [InlineData("1 < 2 < 3", "True")]
    [InlineData("1 < 3 < 2", "False")]
    [InlineData("true == 1 and 1 == 1.0", "True")]
    [InlineData("[1, 2] == (1, 2)", "False")]
    [InlineData("'a' in 'abc' and 'a' in d and 2 in l and 5 not in d", "True")]
    [InlineData("'a' in undef", "False")]
    [InlineData("not 1 == 2", "True")]
    [InlineData("'' or 'x'", "x")]
    [InlineData("0 or none", "None")]
    [InlineData("'y' and 'x'", "x")]
    [InlineData("1 if n else 2 if e else 3", "3")]
    [InlineData("1 if n", "")]
    public void Conditions_follow_Python_s_truth(string expression, string expected) => Gives(expression, expected);

    [Theory]
    [InlineData("'abc'[-1]", "c")]
    [InlineData("'abc'[5]", "")]
    [InlineData("'abcdef'[1:5:2]", "bd")]
    [InlineData("'abcdef'[4:1:-1]", "edc")]
    [InlineData("'abcdef'[-2:]", "ef")]
    [InlineData("l[::-1]", "[3, 2, 1]")]
    [InlineData("u | length", "5")]
    [InlineData("u[1:3]", "😀b")]
    [InlineData("u[::-1]", "c𝒜b😀a")]
    [InlineData("u.find('b')", "2")]
    [InlineData("d['items']", "5")]
    [InlineData("{1: 'a', 2: 'b'}[2]", "b")]
    [InlineData("d.zz is defined", "False")]
    [InlineData("d.get('zz')", "None")]
    [InlineData("d.get('zz', 3)", "3")]
    [InlineData("n.x ~ n['x']", "")]
    public void Elements_are_found_by_position_in_code_points_or_by_key(string expression, string expected) => Gives(expression, expected);

    [Theory]
    [InlineData("'  a b ' | trim | upper", "A B")]
    [InlineData("'xxaxx'.strip('x') ~ ' b '.lstrip() ~ ' c '.rstrip()", "ab  c")]
    [InlineData("' a  b '.split()", "['a', 'b']")]
    [InlineData("' a  b '.split(' ')", "['', 'a', '', 'b', '']")]
    [InlineData("' a b  c '.split(none, 1)", "['a', 'b  c ']")]
    [InlineData("'a</t>b</t>c'.split('</t>')[-1]", "c")]
    [InlineData("'aXbX'.replace('X', '-', 1)", "a-bX")]
    [InlineData("'abc'.startswith(('x', 'a')) and 'abc'.endswith('bc')", "True")]
    [InlineData("', '.join(['a', 'b'])", "a, b")]
    [InlineData("\"it's a dog-day\" | title", "It's A Dog-Day")]
    [InlineData("\"it's a dog-day\".title()", "It'S A Dog-Day")]
    [InlineData("'hELLO' | capitalize", "Hello")]
    [InlineData("'a\\nb\\n\\nc' | indent(2, true)", "  a\n  b\n\n  c")]
    [InlineData("'a\\nb\\n' | indent(2)", "a\n  b\n")]
    [InlineData("'a\\r\\nb\\x0cc'.splitlines()", "['a', 'b', 'c']")]
    public void Texts_have_the_methods_of_Python(string expression, string expected) => Gives(expression, expected);

    [Theory]
    [InlineData("undef | default('x') ~ '' | default('y') ~ '' | default('z', true)", "xz")]
    [InlineData("l | first ~ l | last ~ l | join('-')", "131-2-3")]
    [InlineData("ls | sort", "['A', 'a', 'b', 'c']")]
    [InlineData("ls | unique | list", "['b', 'A', 'c']")]
    [InlineData("{'b': 1, 'A': 2} | dictsort", "[('A', 2), ('b', 1)]")]
    [InlineData("{'x': 1} | items | list", "[('x', 1)]")]
    [InlineData("objs | map(attribute='k', default='-') | list", "['x', 'y', 'x', '-']")]
    [InlineData("objs | selectattr('k', 'equalto', 'x') | map(attribute='v') | list", "[1, 2]")]
    [InlineData("objs | rejectattr('k', 'defined') | list", "[{'z': 1}]")]
    [InlineData("l | select('odd') | list ~ l | reject('odd') | list", "[1, 3][2]")]
    [InlineData("ls | map('upper') | join", "BACA")]
    [InlineData("[{'a': {'b': 1}}] | map(attribute='a.b') | list", "[1]")]
    [InlineData("'5.7' | int ~ 'x' | int ~ 'x' | int(9) ~ 3.99 | int", "5093")]
    [InlineData("'1.5' | float ~ -3 | abs", "1.53")]
    [InlineData("none | map('upper') | list", "[]")]
    public void Filters_are_those_of_Jinja(string expression, string expected) => Gives(expression, expected);

    [Theory]
    [InlineData("d | tojson", """{"b": 1, "a": [1, {"x": null}], "items": 5}""")]
    [InlineData("{'b': [1], 'a': {}} | tojson(indent=2)", "{\n  \"b\": [\n    1\n  ],\n  \"a\": {}\n}")]
    [InlineData("{'b': 1, 'a': 2} | tojson(sort_keys=true, separators=(',', ':'))", """{"a":2,"b":1}""")]
    [InlineData("bs | tojson", "\"a\\\\b\\n\\t\\u0007é\u200b\"")]
    [InlineData("u | tojson(ensure_ascii=true)", """
        "a\ud83d\ude00b\ud835\udc9cc"
        """)]
    [InlineData("""'<b>&"' | tojson""", """
        "<b>&\""
        """)]
    public void Json_is_that_of_transformers_and_escapes_no_html(string expression, string expected) => Gives(expression, expected);

    [Theory]
    [InlineData("n is none and undef is not defined and t is boolean and 1 is not boolean", "True")]
    [InlineData("t is number and t is not integer and 1.5 is float and 1 is integer", "True")]
    [InlineData("e is string and l is iterable and e is iterable and d is mapping and n is not iterable", "True")]
    [InlineData("9 is divisibleby 3 and -3 is odd and 4 is even and 1 is in [1, 2]", "True")]
    [InlineData("1 is true", "False")]
    public void Tests_are_those_of_Jinja(string expression, string expected) => Gives(expression, expected);

    [Theory]
    [InlineData("range(5, 0, -2) | list", "[5, 3, 1]")]
    [InlineData("dict(a=1, b=2)", "{'a': 1, 'b': 2}")]
    [InlineData("strftime_now('%d %b %Y, %-d %B, %H:%M:%S %A %%')", "07 Mar 2025, 7 March, 13:04:05 Friday %")]
    public void Functions_are_those_of_transformers(string expression, string expected) => Gives(expression, expected);

    [Theory]
    [InlineData("{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }};{% endfor %}",
        "10TrueFalse3;21FalseFalse31;32FalseTrue32;")]
    [InlineData("{% for x in l if x != 2 %}{{ x }}:{{ loop.index }}/{{ loop.length }} {% endfor %}", "1:1/2 3:2/2 ")]
    [InlineData("{% for x in l if x > 5 %}{{ x }}{% else %}none{% endfor %}", "none")]
    [InlineData("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }},{% endfor %}", "a=1,b=2,")]
    [InlineData("{% for k in d %}{{ k }},{% endfor %}{% for c in 'a😀' %}{{ c }},{% endfor %}", "b,a,items,a,😀,")]
    [InlineData("{% for x in l %}{% for y in l %}{% if y > x %}{% break %}{% endif %}{% if y == 2 %}{% continue %}{% endif %}{{ y }}{% endfor %};{% endfor %}",
        "1;1;13;")]
    [InlineData("{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "2341")]
    [InlineData("{% set x = 5 %}{% if t %}{% set x = 6 %}{% endif %}{{ x }}", "6")]
    [InlineData("{% set ns = namespace(x=0) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}{{ ns.y }}", "6")]
    [InlineData("{% set a, b = 1, 2 %}{{ a }}{{ b }}{% for (c, d) in [(3, 4)] %}{{ c }}{{ d }}{% endfor %}", "1234")]
    [InlineData("{% set x %}  a{{ i }} {% endset %}[{{ x }}]{% set y | trim | upper %}  a{{ i }} {% endset %}[{{ y }}]", "[  a7 ][A7]")]
    [InlineData("{% filter replace('a', 'b') | upper %}aca{% endfilter %}", "BCB")]
    [InlineData("{% macro m(a, b=2, c=a) %}<{{ a }}{{ b }}{{ c }}>{% endmacro %}{{ m(1) }}{{ m(b=5, a=6) }}{{ m() }}", "<121><656><2>")]
    [InlineData("{% macro r(n) %}{{ n }}{% if n > 0 %}{{ r(n - 1) }}{% endif %}{% endmacro %}{{ r(3) }}", "3210")]
    [InlineData("{% set g = 4 %}{% macro m() %}{{ g }}{% endmacro %}{{ m() }}{% set g = 5 %}{{ m() }}", "45")]
    [InlineData("{% generation %}{{ i }}{% endgeneration %}{% raw %}{{ a }}{% if %}{% endraw %}", "7{{ a }}{% if %}")]
    [InlineData("{% if n %}a{% elif e %}b{% else %}c{% endif %}", "c")]
    public void Statements_are_those_of_Jinja(string template, string expected) => Assert.Equal(expected, Rendering.Render(template, Variables));

    [Theory]
    [InlineData("a\n  {% if t %}\n  b\n  {% endif %}\nc", "a\n  b\nc")]
    [InlineData("a   {% if t %}  b  {% endif %}  c", "a     b    c")]
    [InlineData("a\n  {%- if t -%}\n  b\n  {%- endif -%}\nc", "abc")]
    [InlineData("a\n  {%+ if t %}\n  b\n  {%+ endif +%}\nc", "a\n    b\n  \nc")]
    [InlineData("a\n  {{ i }}\n  {{- i -}}\n  b {{ i }}\n c", "a\n  77b 7\n c")]
    [InlineData("a\n  {# comment #}\nb {# x #} c\n  {#- y -#}\nd", "a\nb  cd")]
    [InlineData("{{ i }}  {% if t %}x{% endif %}", "7  x")]
    [InlineData("{% if t %}x{% endif %}\n   {% if t %}y{% endif %}", "xy")]
    [InlineData("{%- raw %}\nx\n{% endraw %}\ny", "\nx\ny")]
    [InlineData("a\r\nb\rc\n", "a\nb\nc")]
    [InlineData("a\n\n", "a\n")]
    [InlineData("{{ '}}' }}{{ {'a': {'b': 1}}['a']['b'] }}{{ '%}' }}", "}}1%}")]
    public void White_space_is_kept_and_taken_as_transformers_sets_Jinja(string template, string expected) =>
        Assert.Equal(expected, Rendering.Render(template, Variables));

    [Theory]
    [InlineData("x\n{{ nope.x }}", "line 2: 'nope' is undefined")]
    [InlineData("{{ l[0].x.y }}", "line 1: 'int object' has no attribute 'x'")]
    [InlineData("{{ 'a' + 1 }}", "line 1: '+' does not work between str and int")]
    [InlineData("{{ 1 // 0 }}", "division by zero")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "too large")]
    [InlineData("\n\n{{ l | frobnicate }}", "line 3: there is no filter 'frobnicate'")]
    [InlineData("{{ 1 is frob }}", "there is no test 'frob'")]
    [InlineData("{{ l.append(4) }}", "has no attribute 'append'")]
    [InlineData("{{ 'a'.__class__.__mro__ }}", "has no attribute '__class__'")]
    [InlineData("{{ l() }}", "list cannot be called")]
    [InlineData("{{ 'a'.strip(1, 2) }}", "there are 2 arguments, at most 1 are taken")]
    [InlineData("{{ 'a'.strip(x='a') }}", "there is no parameter 'x'")]
    [InlineData("{% for x in none %}{% endfor %}", "there is nothing to go through in NoneType")]
    [InlineData("{% for a, b in [(1, 2, 3)] %}{% endfor %}", "3 values cannot be assigned to 2 names")]
    [InlineData("{% set d.x = 1 %}", "'d' is not a namespace")]
    [InlineData("{% if t %}", "has no 'endif'")]
    [InlineData("{% endif %}", "the tag 'endif' is not supported here")]
    [InlineData("{% break %}", "the tag 'break' is not supported here")]
    [InlineData("{% include 'x' %}", "the tag 'include' is not supported here")]
    [InlineData("\n{{ i", "line 2: the tag has no '}}'")]
    [InlineData("{{ 'abc }}", "the string has no end")]
    [InlineData("{{ (1 }}", "'}' does not close what is open")]
    [InlineData("{# x", "the comment has no end")]
    [InlineData("{{ 1 + }}", "a value was expected, not '}}'")]
    [InlineData("{{ 1 1 }}", "'}}' was expected, not '1'")]
    [InlineData("{{ ? }}", "'?' (U+003F) has no meaning here")]
    public void What_a_template_does_wrong_is_said_with_its_line(string template, string expected)
    {
        var error = Assert.Throws<TemplateException>(() => Rendering.Render(template, Variables));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(error.IsRaisedByTemplate);
    }

    [Fact]
    public void A_template_can_turn_a_conversation_down()
    {
        var error = Assert.Throws<TemplateException>(() => Rendering.Render("\n{{ raise_exception('no ' ~ i) }}", Variables));
        Assert.Equal(("The chat template, line 2: no 7.", "no 7", true), (error.Message, error.Reason, error.IsRaisedByTemplate));
    }

    private static void Gives(string expression, string expected) =>
        Assert.Equal(expected, Rendering.Render($"{{{{ {expression} }}}}", Variables));
}
