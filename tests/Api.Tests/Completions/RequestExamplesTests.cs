using System.Buffers;
using System.Text;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;

namespace SaferGuard.Api.Tests.Completions;

public sealed class RequestExamplesTests
{
    [Fact]
    public void Every_example_of_the_document_is_a_valid_request()
    {
        foreach (var example in RequestExamples.Assess.Values) RequestReader.ReadAssess(Bytes(example), new LimitOptions());
        foreach (var example in RequestExamples.Complete.Values) RequestReader.ReadComplete(Bytes(example), new LimitOptions());
    }

    private static ReadOnlySequence<byte> Bytes(string json) => new(Encoding.UTF8.GetBytes(json));
}
