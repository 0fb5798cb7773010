using System.Security.Cryptography;
using System.Text;
using CsCheck;
using SaferGuard.Reasoning.Policies;
using SaferGuard.Reasoning.Traces;

namespace SaferGuard.Reasoning.Tests.Policies;

public sealed class PolicyReaderTests
{
    private const string Small = """
        id: small
        version: "7"
        categories:
          - id: S1
            name: Violence
            objective: Keep people safe.
            rules:
              - { id: S1.1, text: Do not help to hurt people., effect: refuse }
              - { id: S1.2, text: Help people who are in danger., effect: care }
        """;

    [Fact]
    public void The_default_policy_has_fourteen_categories_in_order_with_four_rules_each()
    {
        var policy = PolicyReader.Default;

        Assert.Equal(("default", "1"), (policy.Id, policy.Version));
        Assert.Equal(Enumerable.Range(1, 14).Select(i => $"S{i}"), policy.Categories.Select(c => c.Id));
        Assert.All(policy.Categories, c => Assert.Equal(Enumerable.Range(1, 4).Select(i => $"{c.Id}.{i}"), c.Rules.Select(r => r.Id)));
    }

    [Fact]
    public void Every_default_category_can_be_refused_and_answered_with_care() =>
        Assert.All(PolicyReader.Default.Categories, category =>
        {
            Assert.Contains(category.Rules, r => r.Effect == RuleEffect.Refuse);
            Assert.Contains(category.Rules, r => r.Effect == RuleEffect.Care);
        });

    [Fact]
    public void A_valid_file_is_read_as_written()
    {
        var policy = Read(Small);

        var category = Assert.Single(policy.Categories);
        Assert.Equal(("S1", "Violence", "Keep people safe."), (category.Id, category.Name, category.Objective));
        Assert.Equal(new Rule("S1.2", "Help people who are in danger.", RuleEffect.Care), category.Rules[1]);
        Assert.Equal(0, policy.IndexOfCategory("S1"));
        Assert.True(policy.TryGetRule("S1.1", out _));
    }

    [Theory]
    [InlineData("", OperatingPoint.Balanced)]
    [InlineData("operating_point: balanced", OperatingPoint.Balanced)]
    [InlineData("operating_point: strict", OperatingPoint.Strict)]
    [InlineData("operating_point: permissive", OperatingPoint.Permissive)]
    public void A_policy_may_name_an_operating_point(string line, OperatingPoint point) =>
        Assert.Equal(point, Read($"{line}\n{Small}").OperatingPoint);

    [Theory]
    [InlineData("operating_point: lax")]
    [InlineData("operating_point: Strict")]
    public void An_unknown_operating_point_is_told_with_those_that_there_are(string line) =>
        Assert.Contains("write strict, balanced or permissive", ErrorsOf($"{line}\n{Small}"));

    [Fact]
    public void The_digest_is_the_hash_of_the_bytes()
    {
        var bytes = Encoding.UTF8.GetBytes(Small);

        Assert.Equal($"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}", PolicyReader.Read(bytes).Digest);
    }

    [Fact]
    public void All_errors_are_listed_at_once_with_their_paths()
    {
        var message = ErrorsOf("""
            id: "not an id"
            colour: red
            categories:
              - id: S0
                name: ""
                objective: x
                rules:
                  - { id: S9.1, text: y, effect: refuse }
                  - { id: S0.1, text: y, effect: maybe }
              - id: S2
                name: Two
                rules: []
            """);

        Assert.Contains("id 'not an id' is not an id", message, StringComparison.Ordinal);
        Assert.Contains("colour is unknown", message, StringComparison.Ordinal);
        Assert.Contains("version is missing", message, StringComparison.Ordinal);
        Assert.Contains("categories[0].id is 'S0'", message, StringComparison.Ordinal);
        Assert.Contains("categories[0].name is not a text", message, StringComparison.Ordinal);
        Assert.Contains("categories[0].rules[0].id 'S9.1' does not belong", message, StringComparison.Ordinal);
        Assert.Contains("categories[0].rules[1].effect is 'maybe': write refuse or care", message, StringComparison.Ordinal);
        Assert.Contains("categories[1].objective is missing", message, StringComparison.Ordinal);
        Assert.Contains("categories[1].rules is not a list", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("S1.2, text", "S1.1, text", "categories[0].rules[1].id 'S1.1' is used twice")]
    [InlineData("Keep people safe.", "\"Keep <|refuse|> safe.\"", "categories[0].objective has '<|'")]
    [InlineData("Keep people safe.", "\"Keep\\u0007people safe.\"", "categories[0].objective has a control character")]
    [InlineData("Keep people safe.", "\"Keep\\npeople safe.\"", "categories[0].objective has a control character")]
    [InlineData("effect: care }", "effect: care, weight: 2 }", "categories[0].rules[1].weight is unknown")]
    [InlineData("effect: care", "effect: Care", "categories[0].rules[1].effect is 'Care'")]
    [InlineData("id: S1.1", "id: [S1.1]", "categories[0].rules[0].id is not a text")]
    [InlineData("id: S1.1", "id: S1.", "categories[0].rules[0].id 'S1.' does not belong")]
    public void A_fault_is_named_by_its_path(string text, string fault, string expected) =>
        Assert.Contains(expected, ErrorsOf(Small.Replace(text, fault, StringComparison.Ordinal)), StringComparison.Ordinal);

    [Theory]
    [InlineData("name: Violence", "name: &a Violence", "anchor or alias")]
    [InlineData("name: Violence", "name: *a", "anchor or alias")]
    [InlineData("name: Violence", "name: !!str Violence", "type tag")]
    [InlineData("name: Violence", "name: !<tag:yaml.org,2002:System.IO.File> x", "type tag")]
    [InlineData("name: Violence", "name: Violence\n    name: Twice", "not valid YAML")]
    [InlineData("name: Violence", "name: [", "not valid YAML")]
    public void Yaml_features_that_untrusted_files_abuse_are_refused(string text, string abuse, string expected) =>
        Assert.Contains(expected, ErrorsOf(Small.Replace(text, abuse, StringComparison.Ordinal)), StringComparison.Ordinal);

    [Fact]
    public void Deep_nesting_is_refused_before_it_costs_stack() =>
        Assert.Contains("nested too deeply", ErrorsOf(new string('[', 100_000)), StringComparison.Ordinal);

    [Fact]
    public void A_file_over_the_size_limit_is_not_parsed() =>
        Assert.Contains("keep it within", ErrorsOf(new string('#', PolicyReader.MaxFileBytes + 1)), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("just text")]
    [InlineData("- a\n- b")]
    [InlineData("a: 1\n---\nb: 2")]
    public void Something_that_is_no_policy_is_refused_with_a_reason(string yaml) => Assert.NotEmpty(ErrorsOf(yaml));

    [Fact]
    public void Invalid_utf8_is_refused() =>
        Assert.Contains("UTF-8", Assert.Throws<InvalidDataException>(() => PolicyReader.Read(new byte[] { 0x69, 0x64, 0x3a, 0x20, 0xff })).Message, StringComparison.Ordinal);

    [Fact]
    public void More_categories_than_there_are_slots_are_refused()
    {
        var categories = string.Concat(Enumerable.Range(1, Policy.MaxCategories + 1).Select(i =>
            $"  - {{ id: S{i}, name: n, objective: o, rules: [{{ id: S{i}.1, text: t, effect: refuse }}] }}\n"));

        Assert.Contains($"categories has {Policy.MaxCategories + 1} items", ErrorsOf($"id: a\nversion: \"1\"\ncategories:\n{categories}"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_document_is_not_read() => Assert.Contains(
        "line 2 starts a second document: write exactly one",
        ErrorsOf($"id: a\n---\n{string.Concat(Enumerable.Repeat("---\nid: b\n", 10_000))}"), StringComparison.Ordinal);

    [Fact]
    public void A_flood_of_errors_is_cut_off() =>
        Assert.True(ErrorsOf($"id: a\nversion: b\ncategories:\n{string.Concat(Enumerable.Repeat("  - 1\n", 20_000))}").Length < 10_000);

    [Fact]
    public void A_damaged_file_is_read_or_refused_but_never_breaks_the_reader()
    {
        var bytes = Encoding.UTF8.GetBytes(Small);
        var signs = "[]{}:-!&*|>%@`\"'#?,\n\t \\"u8.ToArray();
        var damage = Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.OneOf(Gen.Int[0, signs.Length - 1].Select(i => signs[i]), Gen.Byte));

        damage.Array[1, 6].Sample(
            changes =>
            {
                var damaged = bytes.ToArray();
                foreach (var (at, value) in changes) damaged[at] = value;
                try
                {
                    PolicyReader.Read(damaged);
                }
                catch (InvalidDataException)
                {
                    // The one way to be refused.
                }
            },
            iter: 20_000);
    }

    [Fact]
    public void A_rule_may_have_its_own_threshold_and_enforcement()
    {
        var policy = Read(Small.Replace("effect: refuse }", "effect: refuse, enforcement: monitor, threshold: 0.25 }", StringComparison.Ordinal));

        var rules = policy.Categories[0].Rules;
        Assert.Equal(new Rule("S1.1", "Do not help to hurt people.", RuleEffect.Refuse, Enforcement.Monitor, 0.25), rules[0]);
        Assert.Equal((Enforcement.Enforce, null), (rules[1].Enforcement, rules[1].Threshold));
    }

    [Theory]
    [InlineData("enforcement: maybe", "enforcement is 'maybe': write enforce, monitor or off")]
    [InlineData("threshold: 0", "threshold is '0': write a number above 0 and below 1")]
    [InlineData("threshold: 1", "threshold is '1'")]
    [InlineData("threshold: NaN", "threshold is 'NaN'")]
    [InlineData("threshold: \"0,5\"", "threshold is '0,5'")]
    [InlineData("threshold: [0.5]", "threshold is not a text")]
    public void A_faulty_setting_of_a_rule_is_told_with_its_mend(string setting, string expected) => Assert.Contains(
        $"categories[0].rules[1].{expected}",
        ErrorsOf(Small.Replace("effect: care }", $"effect: care, {setting} }}", StringComparison.Ordinal)), StringComparison.Ordinal);

    [Fact]
    public void A_policy_that_checks_nothing_is_refused() => Assert.Contains(
        "categories check nothing: every rule is off",
        ErrorsOf(Small.Replace(" }", ", enforcement: off }", StringComparison.Ordinal)), StringComparison.Ordinal);

    [Fact]
    public void Examples_say_what_is_expected()
    {
        var policy = Read(Small + """

            examples:
              - input: |
                  Two lines,
                  one <|token|>.
                expect: refuse
                violates: [S1.1]
              - name: a conversation
                messages: [{ role: system, content: Be kind. }, { role: user, content: Hello }]
                response: Go away.
                expect: care
            """);

        var (first, second) = (policy.Examples[0], policy.Examples[1]);
        Assert.Equal(("Two lines, one <|token|>.", Decision.Refuse), (first.Name, first.Expect));
        Assert.Equal(new Turn(Role.User, "Two lines,\none <|token|>.\n"), Assert.Single(first.Conversation.Turns));
        Assert.Equal(["S1.1"], first.Violates);
        Assert.Equal(("a conversation", Subject.Response, 3), (second.Name, second.Conversation.Subject, second.Conversation.Turns.Count));
    }

    [Fact]
    public void Faulty_examples_are_all_told()
    {
        var message = ErrorsOf(Small + """

            examples:
              - { input: a, messages: [], expect: refuse }
              - { expect: never }
              - { input: a, expect: answer, violates: [S9.9] }
              - { messages: [{ role: user }], expect: answer }
              - { input: a }
            """);

        Assert.Contains("examples[0] needs one of input and messages", message, StringComparison.Ordinal);
        Assert.Contains("examples[1].expect is 'never': write answer, care or refuse", message, StringComparison.Ordinal);
        Assert.Contains("examples[2].violates[0] is no rule that this policy checks", message, StringComparison.Ordinal);
        Assert.Contains("examples[3].messages[0].content is missing", message, StringComparison.Ordinal);
        Assert.Contains("examples[4].expect is missing", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_may_be_written_in_json()
    {
        const string Json = """
            {"id": "small", "version": 7, "categories": [{"id": "S1", "name": "Violence \u00e9\ud83d\ude42", "objective": "Keep.\/",
            	"rules": [{"id": "S1.1", "text": "Do not.", "effect": "refuse", "threshold": 5e-1}]}]}
            """;

        var policy = Read(Json);

        Assert.Equal(("small", "7", "Violence é🙂"), (policy.Id, policy.Version, policy.Categories[0].Name));
        Assert.Equal(0.5, policy.Categories[0].Rules[0].Threshold);
        Assert.Contains("categories[0].rules[0].effect is 'refuze'", ErrorsOf(Json.Replace("\"refuse\"", "\"refuze\"", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("version is not a text", ErrorsOf(Json.Replace("7", "null", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.NotEmpty(ErrorsOf(Json.Replace("\"version\": 7", "\"id\": \"twice\", \"version\": 7", StringComparison.Ordinal)));
        Assert.NotEmpty(ErrorsOf(Json[..^5]));
        Assert.NotEmpty(ErrorsOf(string.Concat(Enumerable.Repeat("{\"a\":", 10_000))));
    }

    private static Policy Read(string yaml) => PolicyReader.Read(Encoding.UTF8.GetBytes(yaml));

    private static string ErrorsOf(string yaml) => Assert.Throws<InvalidDataException>(() => Read(yaml)).Message;
}
