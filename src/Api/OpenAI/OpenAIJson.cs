using System.Text.Json;
using System.Text.Json.Serialization;

namespace SaferGuard.Api.OpenAI;

/// <summary>The JSON of OpenAI's shapes.</summary>
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(ChatChunk))]
[JsonSerializable(typeof(Moderations))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(OpenAIError))]
internal sealed partial class OpenAIJson : JsonSerializerContext
{
    public static OpenAIJson Body { get; } = new(ApiJson.Configured(new JsonSerializerOptions()));
}
