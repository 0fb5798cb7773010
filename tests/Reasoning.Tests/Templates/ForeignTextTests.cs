using System.Text.Json;
using CsCheck;

namespace SaferGuard.Reasoning.Tests.Templates;

/// <summary>Whatever a template does to a text of the conversation, its characters stay foreign, and those of the template do not become so.</summary>
public sealed class ForeignTextTests
{
    /// <summary>Templates write in ASCII, the conversation <c>x</c> and <c>y</c> in Greek, Hebrew and emoji.</summary>
    private static readonly string[] Templates =
    [
        "<s>{{ x }}</s>{{ y }}",
        "{{ 'a' + x + 'b' ~ y ~ 1 }}",
        "{{ x | trim }}|{{ x.strip() }}|{{ x.split() | join('-') }}|{{ x.split('\\n')[-1] }}",
        "{{ x | upper }}{{ x.lower() }}{{ x | title }}{{ x | capitalize }}",
        "{{ x[1:3] }}|{{ x[::-1] }}|{{ x[-1] }}|{{ x | first }}|{{ x | list | join('.') }}",
        "{{ x.replace('\\n', y) }}|{{ ('a' ~ x ~ 'a').replace('a', 'bb') }}|{{ 'aXb' | replace('X', x) }}",
        "{{ [x, 'b', {'k': y}] }}|{{ [x, {'k': y}] | tojson }}|{{ [x, y] | tojson(indent=2) }}",
        "{{ x | indent(2, true) }}|{{ x.splitlines() | join('\\n') }}|{{ x * 3 }}",
        "{% set z %}[{{ x }}]{% endset %}{{ z | trim }}{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(x) | upper }}",
        "{% filter trim | upper %} {{ x }} a{% endfilter %}",
        "{% for c in x %}{{ c }},{% endfor %}{% for w in [x, 'b', y] | sort %}{{ w }}{% endfor %}",
        "{{ [x, y, 'b'] | unique | map('upper') | join(x) }}{{ x if x else 'none' }}{{ undef | default(y) }}",
    ];

    private static readonly Gen<string> Words = Gen.String[Gen.Char["αβΓδ Ω\n\t'\"\\אב"], 0, 12];

    [Fact]
    public void Foreign_characters_are_exactly_those_of_the_conversation() =>
        Gen.Select(Words, Words, Gen.Int[0, Templates.Length - 1], Gen.Bool).Sample((x, y, choice, withEmoji) =>
        {
            if (withEmoji) x += "😀" + y;
            var text = Rendering.RenderText(Templates[choice], JsonSerializer.Serialize(new { x, y }));
            for (var i = 0; i < text.Length; i++)
            {
                // White space, quotes and backslashes come from both.
                if (text.Characters[i] > '\u007f') Assert.True(text.IsForeignAt(i));
                else if (char.IsAsciiLetterOrDigit(text.Characters[i]) && !IsEscape(text.Characters, i)) Assert.False(text.IsForeignAt(i));
            }

            for (var i = 0; i < text.Foreign.Length; i++)
            {
                Assert.True(text.Foreign[i].Start < text.Foreign[i].End);
                Assert.True(i == 0 || text.Foreign[i - 1].End < text.Foreign[i].Start);
                Assert.True(text.Foreign[i].End <= text.Length);
            }
        });

    private static bool IsEscape(string text, int i) => i > 0 && text[i - 1] == '\\';
}
