using System.Text.Json;
using System.Text.Json.Nodes;
using SaferGuard.Reasoning.Templates;
using SaferGuard.Reasoning.Tests.Templates;

namespace SaferGuard.Reasoning.Tests.CrossCheck;

/// <summary>Rendered conversations against those of <c>@huggingface/jinja</c>.</summary>
public sealed class TemplateCrossCheckTests
{
    [Theory]
    [InlineData("smollm2")]
    [InlineData("llama-3")]
    [InlineData("llama-3.1")]
    [InlineData("mistral-v3")]
    [InlineData("qwen2.5")]
    [InlineData("qwen3")]
    [InlineData("gemma-2")]
    [InlineData("phi-3.5")]
    public void Conversations_are_written_as_by_Hugging_Face(string name)
    {
        var template = CrossCheckFixtures.ReadText($"Templates/{name}.jinja");
        var renders = CrossCheckFixtures.Read("Templates/renders.json").EnumerateArray().Where(r => r.GetProperty("template").GetString() == name).ToList();
        Assert.Equal(34, renders.Count);
        foreach (var render in renders)
        {
            var variables = Variables(name, render.GetProperty("conversation").GetString()!);
            variables["add_generation_prompt"] = render.GetProperty("add_generation_prompt").GetBoolean();
            var json = JsonSerializer.SerializeToElement(variables);
            if (render.TryGetProperty("text", out var text))
            {
                Assert.Equal(text.GetString(), Rendering.RenderText(template, json).Characters);
            }
            else
            {
                var error = Assert.Throws<TemplateException>(() => Rendering.RenderText(template, json));
                Assert.Equal((render.GetProperty("error").GetString(), true), (error.Reason, error.IsRaisedByTemplate));
            }
        }
    }

    [Theory]
    [InlineData("smollm2", "smollm2")]
    [InlineData("llama-3", "llama-3.1")]
    [InlineData("qwen2", "qwen2.5")]
    [InlineData("qwen3", "qwen3")]
    [InlineData("mistral-nemo", "mistral-v3")]
    public void No_message_can_add_a_special_token(string style, string name)
    {
        var tokenizer = CrossCheckFixtures.Tokenizer(style);
        var encoder = new ChatEncoder(tokenizer);
        var template = CrossCheckFixtures.ReadText($"Templates/{name}.jinja");
        foreach (var (conversation, harmless) in new[] { ("injection", "question"), ("injection in two turns", "three turns") })
        {
            Assert.Equal(SpecialTokens(harmless), SpecialTokens(conversation));
        }

        int[] SpecialTokens(string conversation)
        {
            var text = Rendering.RenderText(template, JsonSerializer.SerializeToElement(Variables(name, conversation)));
            return [.. encoder.Encode(new ChatPrompt(text.Characters, text.Foreign)).Where(tokenizer.IsSpecial)];
        }
    }

    private static JsonObject Variables(string template, string conversation)
    {
        var all = JsonNode.Parse(CrossCheckFixtures.ReadText("Templates/conversations.json"))!;
        var variables = new JsonObject { ["tools"] = null, ["documents"] = null };
        foreach (var part in new[] { all["conversations"]![conversation]!, all["tokens"]![template]! })
        {
            foreach (var (name, value) in part.AsObject()) variables[name] = value?.DeepClone();
        }

        return variables;
    }
}
