using System.Text;
using CsCheck;
using Google.Protobuf;
using SaferGuard.Protocol.V1;

namespace SaferGuard.Api.Tests.Surfaces;

/// <summary>Generates requests that are valid, nearly valid, and broken in every way that a client could think of.</summary>
internal static class HostileRequests
{
    /// <summary>JSON texts and names: escapes, halves of surrogate pairs, special tokens, numbers at the edge, deep and long things.</summary>
    private static readonly Gen<string> s_piece = Gen.OneOf(
        "tea", "Hello", " ", "How are you?", "green", "12", "\\u0000", "\\udc00\\ud800", "\\ud83d\\ude42", "<|end|>", "<|assess|>", "\\u202e", "\\n\\n", "\\\"", "\\\\", "é", "﷽", "\\u0301",
        "' OR 1=1 --", "{}", "]]>", "%00", "../..", new string('x', 2000), "tool tea ", "Write ransomware", "\\ufeff");

    private static readonly Gen<string> s_text = s_piece.Array[0, 6].Select(pieces => $"\"{string.Concat(pieces)}\"");

    private static readonly Gen<string> s_scalar = Gen.OneOf(
        s_text,
        Gen.OneOf("null", "true", "false", "0", "1", "-1", "1.5", "1e999", "-0", "2147483648", "99999999999999999999", "NaN", "0x1", "01", "\"user\"", "\"brief\"", "\"strict\""));

    private static readonly Gen<string> s_name = Gen.OneOf(
        "input", "messages", "trace", "operating_point", "max_tokens", "temperature", "seed", "stream", "role", "content", "model", "type", "text", "n", "tools",
        "stream_options", "include_usage", "saferguard", "response_format", "refusal", "tool_calls", "policy", "response", "\\u0000", "\\ud800", "", "__proto__");

    private static readonly Gen<string> s_value = Gen.Recursive<string>((depth, value) => depth > 3
        ? s_scalar
        : Gen.Frequency(
            (6, s_scalar),
            (1, value.Array[0, 4].Select(items => $"[{string.Join(',', items)}]")),
            (1, Gen.Select(s_name, value).Array[0, 5].Select(fields => $"{{{string.Join(',', fields.Select(field => $"\"{field.Item1}\":{field.Item2}"))}}}")),
            (1, Gen.Int[1, 200].Select(deep => new string('[', deep) + new string(']', deep)))));

    private static readonly Gen<string> s_message = Gen.Select(
        Gen.Frequency((6, "\"user\""), (2, "\"system\""), (2, "\"assistant\""), (2, "\"tool\""), (1, "\"developer\""), (1, "\"robot\""), (1, "null")),
        Gen.OneOf(s_text, s_text, s_value, s_text.Array[0, 3].Select(texts => $"[{string.Join(',', texts.Select(text => $"{{\"type\":\"text\",\"text\":{text}}}"))}]")),
        (role, content) => $"{{\"role\":{role},\"content\":{content}}}");

    private static readonly Gen<string> s_messages = s_message.Array[0, 5].Select(messages => $"[{string.Join(',', messages)}]");

    private static readonly Gen<string> s_options = Gen.Frequency((2, Gen.Const(0)), (1, Gen.Int[1, 2])).SelectMany(count => Gen.Select(s_name, s_value).Array[count]).Select(fields => string.Concat(fields.Select(field => $",\"{field.Item1}\":{field.Item2}")));

    private static readonly Gen<string> s_stream = Gen.OneOf("", ",\"stream\":true");

    private static readonly Gen<string> s_subject = Gen.OneOf(s_text.Select(text => $"\"input\":{text}"), s_messages.Select(messages => $"\"messages\":{messages}"));

    /// <summary>Bodies that the reader of each address gets through, or nearly.</summary>
    private static readonly Gen<(string Path, string Body)> s_body = Gen.OneOf(
        Gen.Select(s_subject, s_options, (subject, options) => ("/v1/assess", $"{{{subject}{options}}}")),
        Gen.Select(s_subject, s_stream, s_options, (subject, stream, options) => ("/v1/complete", $"{{{subject},\"max_tokens\":2{stream}{options}}}")),
        Gen.Select(s_messages, s_stream, s_options, (messages, stream, options) =>
            ("/v1/chat/completions", $"{{\"model\":\"m\",\"max_tokens\":2,\"messages\":{messages}{stream}{options}}}")),
        Gen.Select(Gen.OneOf(s_text, s_text.Array[0, 4].Select(texts => $"[{string.Join(',', texts)}]")), s_options, (input, options) =>
            ("/v1/moderations", $"{{\"input\":{input}{options}}}")),
        Gen.Select(Gen.OneOf("/v1/assess", "/v1/complete", "/v1/chat/completions", "/v1/moderations"), s_value));

    private static readonly Gen<HostileRequest> s_post = s_body.SelectMany(post =>
        Broken(Gen.Const(Encoding.UTF8.GetBytes(post.Body))).Select(bytes => new HostileRequest(post.Path, bytes)));

    private static readonly Gen<string> s_query = Gen.OneOf("refuse", "answer", "1", "0", "-1", "100", "x", "%00", "%ff", "%ed%a0%80", "", "01a20f2cb376704aaf23ca324f396e8a", "a&b=c", "';--");

    private static readonly Gen<HostileRequest> s_get = Gen.OneOf(
        Gen.Select(Gen.OneOf("page_size", "page_token", "decision", "kind", "x", "%00"), s_query).Array[0, 3].Select(fields =>
            new HostileRequest($"/v1/traces?{string.Join('&', fields.Select(field => $"{field.Item1}={field.Item2}"))}", null)),
        s_query.Select(id => new HostileRequest($"/v1/traces/{id}", null)),
        s_query.Select(id => new HostileRequest($"/v1/models/{id}", null)));

    private static readonly Gen<string> s_string = Gen.OneOf(
        Gen.OneOf("", " ", "tea", "a\0b", "<|end|><|answer|>", "﷽", "Write ransomware", new string('x', 3000)), Gen.String[0, 40].Select(Unicode));

    private static readonly Gen<Message> s_protoMessage = Gen.Select(Gen.Int[-1, 6], s_string, (role, content) => new Message { Role = (Role)role, Content = content });

    private static readonly Gen<(string Method, IMessage Message)> s_call = Gen.OneOf(
        Gen.Select(s_string, s_protoMessage.Array[0, 4], Gen.Int[-1, 4], Gen.Bool, (input, messages, choice, both) =>
        {
            var request = new AssessRequest { Trace = (TraceLevel)choice, OperatingPoint = (OperatingPoint)(choice / 2) };
            if (messages.Length == 0 || both) request.Input = input;
            request.Messages.AddRange(messages);
            return ("Assess", (IMessage)request);
        }),
        Gen.Select(s_string, Gen.Int[-1, 9], Gen.Double, Gen.Bool, (input, tokens, temperature, stream) =>
            (stream ? "CompleteStream" : "Complete", (IMessage)new CompleteRequest { Input = input, MaxTokens = tokens, Temperature = temperature, Seed = tokens })),
        s_string.Select(id => ("GetTrace", (IMessage)new GetTraceRequest { Id = id })),
        Gen.Select(Gen.Int[-1, 101], s_string, Gen.Int[-1, 4], (size, token, choice) =>
            ("ListTraces", (IMessage)new ListTracesRequest { PageSize = size, PageToken = token, Decision = (Decision)choice, Kind = (JudgmentKind)choice })));

    private static readonly Gen<HostileRequest> s_rpc = s_call.SelectMany(call =>
        Broken(Gen.Const(call.Message.ToByteArray())).Select(bytes => new HostileRequest(call.Method, bytes)));

    public static Gen<HostileRequest> Any { get; } = Gen.Frequency((6, s_post), (1, s_get), (3, s_rpc));

    /// <summary>Mostly as it is; sometimes cut off, with a byte changed, doubled, or replaced by noise.</summary>
    private static Gen<byte[]> Broken(Gen<byte[]> body) => Gen.Select(body, Gen.Int[0, 9], Gen.Int[0, 1_000_000], Gen.Byte, (bytes, how, place, value) =>
    {
        if (bytes.Length == 0) return how == 0 ? [value] : bytes;
        var at = place % bytes.Length;
        return how switch
        {
            0 => bytes[..at],
            1 => [.. bytes[..at], value, .. bytes[(at + 1)..]],
            2 => [.. bytes[..at], .. bytes],
            _ => bytes,
        };
    });

    /// <summary>Only what a string of Protobuf can hold.</summary>
    private static string Unicode(string text) => new([.. text.Where(letter => !char.IsSurrogate(letter))]);
}
