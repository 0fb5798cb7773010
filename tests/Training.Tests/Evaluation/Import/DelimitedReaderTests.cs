using CsCheck;
using SaferGuard.Training.Evaluation.Import;

namespace SaferGuard.Training.Tests.Evaluation.Import;

public sealed class DelimitedReaderTests
{
    [Fact]
    public void What_was_quoted_is_read_as_it_was() =>
        Gen.Char["ab,\"\r\n\t;é"].Array[0, 6].Select(c => new string(c)).Array[2, 4].Array[0, 5].Sample(records =>
        {
            var text = string.Join("\r\n", records.Select(fields => string.Join(',', fields.Select(f => $"\"{f.Replace("\"", "\"\"")}\""))));
            return Read(text).Select(r => r.Fields).SequenceEqual(records, EqualityComparer<IReadOnlyList<string>>.Create((a, b) => a!.SequenceEqual(b!)));
        });

    [Fact]
    public void Records_are_named_by_the_line_that_they_start_on()
    {
        var records = Read("a,b\n\n\"c\n\nd\",e\r\nf,\n");

        Assert.Equal([1, 3, 6], records.Select(r => r.Line));
        Assert.Equal(["f", ""], records[2].Fields);
    }

    [Fact]
    public void Quotes_inside_a_plain_field_are_text() => Assert.Equal(["a \"b\" c", "d"], Read("a \"b\" c,d")[0].Fields);

    [Fact]
    public void Any_text_is_read_or_refused() => Gen.String.Sample(text =>
    {
        try
        {
            _ = Read(text);
        }
        catch (FormatException)
        {
            // An open quote.
        }
    });

    private static List<(int Line, IReadOnlyList<string> Fields)> Read(string text) => [.. new DelimitedReader(new StringReader(text), ',').Read()];
}
