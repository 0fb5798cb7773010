using System.Text;

namespace SaferGuard.Api.Tests.Policies;

public sealed class PolicyEndpointTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task The_models_own_policy_is_there_byte_for_byte()
    {
        var list = (await service.GetAsync("/v1/policies")).Json;
        var own = list.GetProperty("data").EnumerateArray().Single(policy => policy.GetProperty("id").GetString() == "default");
        var digest = own.GetProperty("digest").GetString()!;

        Assert.Equal("default", list.GetProperty("default").GetString());
        Assert.Equal("""{"enforce":56,"monitor":0,"off":0}""", own.GetProperty("rules").GetRawText());
        foreach (var name in (string[])["default", digest])
        {
            var reply = await service.GetAsync($"/v1/policies/{name}");
            Assert.Equal((200, "application/yaml", $"\"{digest}\""), (reply.Status, reply.ContentType, reply.Headers.ETag?.Tag));
            Assert.Equal(digest, PolicyFiles.Digest(reply.Text));
        }
    }

    [Fact]
    public async Task A_policy_that_is_put_judges_the_next_request_and_its_older_versions_stay_by_digest()
    {
        var strict = PolicyFiles.Yaml("replaced");
        var violated = (await service.AssessByAsync("default")).Violated();
        var mild = PolicyFiles.Yaml("replaced", "2", [.. violated.Select(rule => (rule, "enforcement: monitor"))]);

        var created = await service.PutPolicyAsync("replaced", strict);
        var before = await service.AssessByAsync("replaced");
        var replaced = await service.PutPolicyAsync("replaced", mild);
        var after = await service.AssessByAsync("replaced");
        var older = await service.AssessByAsync(PolicyFiles.Digest(strict));

        Assert.Equal((201, 200), (created.Status, replaced.Status));
        Assert.Equal("/v1/policies/replaced", created.Headers.Location?.ToString());
        Assert.Equal($"\"{PolicyFiles.Digest(mild)}\"", replaced.Headers.ETag?.Tag);
        Assert.Equal(("refuse", PolicyFiles.Digest(strict)), (before.Decision(), before.PolicyDigest()));
        Assert.Equal(PolicyFiles.Digest(mild), after.PolicyDigest());
        Assert.NotEqual("refuse", after.Decision());
        Assert.Equal(("refuse", PolicyFiles.Digest(strict)), (older.Decision(), older.PolicyDigest()));
        Assert.Equal(strict, (await service.GetAsync($"/v1/policies/{PolicyFiles.Digest(strict)}")).Text);

        var versions = (await service.GetAsync("/v1/policies/replaced/versions")).Json.GetProperty("data").EnumerateArray().ToArray();
        Assert.Equal([("2", true), ("1", false)], versions.Select(v => (v.GetProperty("version").GetString(), v.GetProperty("live").GetBoolean())));
    }

    [Fact]
    public async Task A_policy_may_be_put_as_json_and_is_returned_as_such()
    {
        var policy = PolicyFiles.Json("inJson");

        Assert.Equal(201, (await service.PutPolicyAsync("inJson", policy, "application/json")).Status);
        var reply = await service.GetAsync("/v1/policies/inJson");

        Assert.Equal((policy, "application/json"), (reply.Text, reply.ContentType));
        Assert.Equal("refuse", (await service.AssessByAsync("inJson")).Decision());
    }

    [Fact]
    public async Task Two_writers_are_kept_apart_by_the_digest()
    {
        var (first, second) = (PolicyFiles.Yaml("shared", "1"), PolicyFiles.Yaml("shared", "2"));
        var tag = $"\"{PolicyFiles.Digest(first)}\"";

        Assert.Equal(412, (await service.PutPolicyAsync("shared", first, headers: ("If-Match", "*"))).Status);
        Assert.Equal(201, (await service.PutPolicyAsync("shared", first, headers: ("If-None-Match", "*"))).Status);
        Assert.Equal(412, (await service.PutPolicyAsync("shared", second, headers: ("If-None-Match", "*"))).Status);
        Assert.Equal(200, (await service.PutPolicyAsync("shared", second, headers: ("If-Match", tag))).Status);
        var late = await service.PutPolicyAsync("shared", PolicyFiles.Yaml("shared", "3"), headers: ("If-Match", tag));

        Assert.Equal((412, "urn:saferguard:problem:precondition-failed"), (late.Status, late.Json.GetProperty("type").GetString()));
        Assert.Contains(PolicyFiles.Digest(second), late.Text);
        Assert.Equal(second, (await service.GetAsync("/v1/policies/shared")).Text);
        Assert.Equal(200, (await service.PutPolicyAsync("shared", second)).Status);
    }

    [Fact]
    public async Task What_has_not_changed_is_not_sent_again()
    {
        var tag = (await service.GetAsync("/v1/policies/default")).Headers.ETag!.Tag;
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/policies/default");
        request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        using var response = await service.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(304, (int)response.StatusCode);
    }

    [Fact]
    public async Task Every_error_is_named_with_its_field_and_mend_and_nothing_changes()
    {
        var faulty = PolicyFiles.Yaml("faulty", "1", ("S1.1", "threshold: 2"), ("S5.2", "enforcement: sometimes"), ("S6.1", "colour: red"));

        var reply = await service.PutPolicyAsync("faulty", faulty);

        Assert.Equal((400, "application/problem+json"), (reply.Status, reply.ContentType));
        Assert.Equal(["categories[0].rules[0].threshold", "categories[4].rules[1].enforcement", "categories[5].rules[0].colour"], reply.Fields);
        Assert.Contains("write enforce, monitor or off", reply.Text);
        Assert.Equal(404, (await service.GetAsync("/v1/policies/faulty")).Status);
    }

    [Fact]
    public async Task Rules_that_the_model_has_not_learnt_are_refused()
    {
        var own = PolicyFiles.Yaml("own").Replace("id: S5.1", "id: S5.77", StringComparison.Ordinal).Replace("Do not help to steal,", "Do not whistle,", StringComparison.Ordinal);

        var reply = await service.PutPolicyAsync("own", own);

        Assert.Equal(400, reply.Status);
        Assert.Equal(["categories[3].rules[1].text", "categories[4].rules[0].id"], reply.Fields);
        Assert.Contains("which does not read rule texts", reply.Text);
    }

    [Fact]
    public async Task The_address_and_the_file_must_name_the_same_policy()
    {
        var reply = await service.PutPolicyAsync("one", PolicyFiles.Yaml("other"));
        Assert.Equal(400, reply.Status);
        Assert.Equal(["id"], reply.Fields);

        await service.PutPolicyAsync("twin", PolicyFiles.Yaml("twin"));
        var twin = await service.PutPolicyAsync("TWIN", PolicyFiles.Yaml("TWIN"));
        Assert.Equal(400, twin.Status);
        Assert.Contains("in case only", twin.Text);
    }

    public static TheoryData<string, string> Hostile() => new()
    {
        { "a bomb of aliases", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nid: [*c,*c,*c,*c,*c,*c,*c,*c,*c]" },
        { "an anchor", PolicyFiles.Yaml("hostile").Replace("version: \"1\"", "version: &v \"1\"", StringComparison.Ordinal) },
        { "an alias to itself", "id: &a [*a]" },
        { "a type tag", PolicyFiles.Yaml("hostile").Replace("version: \"1\"", "version: !!python/object/apply:os.system [\"true\"]", StringComparison.Ordinal) },
        { "a merge key", "<<: {id: hostile}" },
        { "deep nesting", new string('[', 50_000) },
        { "deep nesting in JSON", string.Concat(Enumerable.Repeat("{\"a\":", 20_000)) },
        { "wide and flat", "id: hostile\ncategories: [" + string.Join(',', Enumerable.Repeat("{}", 50_000)) + "]" },
        { "many documents", string.Concat(Enumerable.Repeat("---\nid: a\n", 10_000)) },
        { "a key twice in JSON", """{"id": "hostile", "id": "hostile"}""" },
        { "special tokens", PolicyFiles.Yaml("hostile").Replace("name: Violence", "name: <|refuse|>", StringComparison.Ordinal) },
        { "NUL", PolicyFiles.Yaml("hostile").Replace("name: Violence", "name: \"a\\0b\"", StringComparison.Ordinal) },
        { "nothing", "" },
        { "a long key", new string('k', 100_000) + ": 1" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_hostile_policy_is_refused_quickly_with_a_small_answer(string what, string policy)
    {
        var started = DateTime.UtcNow;
        foreach (var type in (string[])["application/yaml", "application/json"])
        {
            var reply = await service.PutPolicyAsync("hostile", policy, type);
            Assert.True(reply.Status == 400 && reply.Fields.Any(), what);
            Assert.InRange(reply.Body.Length, 1, 64 * 1024);
        }

        Assert.True(DateTime.UtcNow - started < TimeSpan.FromMinutes(1), what);
        Assert.Equal(404, (await service.GetAsync("/v1/policies/hostile")).Status);
    }

    [Fact]
    public async Task A_huge_policy_is_not_even_read()
    {
        var reply = await service.PutPolicyAsync("huge", new string('#', 300 * 1024));

        Assert.Equal((413, "urn:saferguard:problem:body-too-large"), (reply.Status, reply.Json.GetProperty("type").GetString()));
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/octet-stream")]
    public async Task Other_types_of_content_are_not_taken(string type) =>
        Assert.Equal(415, (await service.PutPolicyAsync("typed", PolicyFiles.Yaml("typed"), type)).Status);

    [Theory]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("sha256:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("sha256:../../x")]
    [InlineData("nobody")]
    public async Task What_is_no_policy_is_not_found(string id)
    {
        Assert.Equal(404, (await service.GetAsync($"/v1/policies/{id}")).Status);
        Assert.Equal(404, (await service.GetAsync($"/v1/policies/{id}/versions")).Status);
    }

    [Theory]
    [InlineData("..%2fx", "../x")]
    [InlineData("%2e%2e", "..")]
    public async Task A_file_cannot_leave_the_folder(string address, string id)
    {
        var reply = await service.PutPolicyAsync(address, PolicyFiles.Yaml($"\"{id}\""));

        Assert.InRange(reply.Status, 400, 405);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(service.Store)!, "*.yaml"));
    }

    [Fact]
    public async Task Writers_at_the_same_time_leave_one_whole_version_live()
    {
        var files = Enumerable.Range(0, 8).Select(i => PolicyFiles.Yaml("crowded", $"{i}")).ToArray();

        var replies = await Task.WhenAll(files.Select(file => service.PutPolicyAsync("crowded", file)));

        Assert.Single(replies, reply => reply.Status == 201);
        Assert.Equal(7, replies.Count(reply => reply.Status == 200));
        Assert.Contains((await service.GetAsync("/v1/policies/crowded")).Text, files);
        Assert.Equal(8, (await service.GetAsync("/v1/policies/crowded/versions")).Json.GetProperty("data").GetArrayLength());
        Assert.Equal(
            Encoding.UTF8.GetBytes((await service.GetAsync("/v1/policies/crowded")).Text),
            File.ReadAllBytes(Path.Combine(Path.ChangeExtension(service.Store, ".policies"), "crowded.yaml")));
    }
}
