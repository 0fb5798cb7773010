using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf.Collections;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Traces;
using V1 = SaferGuard.Protocol.V1;

namespace SaferGuard.Api.Grpc;

/// <summary>
/// Writes a message as the REST request that says the same, which then has its one reader: both surfaces accept the same and complain in the same words.
/// </summary>
internal static class RpcRequests
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <exception cref="Operations.ProblemException">The request is not valid.</exception>
    public static AssessRequest Read(V1.AssessRequest request, LimitOptions limits) => RequestReader.ReadAssess(Json(json =>
    {
        WriteSubject(
            json, request.HasInput ? request.Input : null, request.Messages, request.Trace, request.OperatingPoint, request.HasPolicy ? request.Policy : null);
        if (request.HasResponse) json.WriteString("response", request.Response);
    }), limits);

    /// <exception cref="Operations.ProblemException">The request is not valid.</exception>
    public static CompleteRequest Read(V1.CompleteRequest request, LimitOptions limits) => RequestReader.ReadComplete(Json(json =>
    {
        WriteSubject(
            json, request.HasInput ? request.Input : null, request.Messages, request.Trace, request.OperatingPoint, request.HasPolicy ? request.Policy : null);
        if (request.HasModel) json.WriteString("model", request.Model);
        if (request.HasMaxTokens) json.WriteNumber("max_tokens", request.MaxTokens);
        if (request.HasSeed) json.WriteNumber("seed", request.Seed);
        if (request.HasTemperature && double.IsFinite(request.Temperature)) json.WriteNumber("temperature", request.Temperature);
        else if (request.HasTemperature) OutOfRange(json, "temperature");
    }), limits);

    /// <exception cref="Operations.ProblemException">The request is not valid.</exception>
    public static TraceQuery Read(V1.ListTracesRequest request)
    {
        var parameters = new Dictionary<string, string>();
        if (request.HasPageSize) parameters["page_size"] = $"{request.PageSize}";
        if (request.HasPageToken) parameters["page_token"] = request.PageToken;
        if (request.Decision != default) parameters["decision"] = WireName.Of(request.Decision);
        if (request.Kind != default) parameters["kind"] = WireName.Of(request.Kind);
        return TraceQuery.Read(parameters);
    }

    private static ReadOnlySequence<byte> Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, s_json))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return new(buffer.WrittenMemory);
    }

    private static void WriteSubject(
        Utf8JsonWriter json, string? input, RepeatedField<V1.Message> messages, V1.TraceLevel trace, V1.OperatingPoint point, string? policy)
    {
        if (input is not null) json.WriteString("input", input);
        if (messages.Count > 0)
        {
            json.WriteStartArray("messages");
            foreach (var message in messages)
            {
                json.WriteStartObject();
                WriteChoice(json, "role", message.Role);
                json.WriteString("content", message.Content);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        WriteChoice(json, "trace", trace);
        WriteChoice(json, "operating_point", point);
        if (policy is not null) json.WriteString("policy", policy);
    }

    /// <summary>An unspecified value is an absent field; a number without a name stays one, for the reader to refuse.</summary>
    private static void WriteChoice<T>(Utf8JsonWriter json, string field, T value)
        where T : struct, Enum
    {
        if (!value.Equals(default(T))) json.WriteString(field, WireName.Of(value));
    }

    /// <summary>JSON has neither NaN nor infinity.</summary>
    private static void OutOfRange(Utf8JsonWriter json, string field)
    {
        json.WritePropertyName(field);
        json.WriteRawValue("1e999", skipInputValidation: true);
    }
}
