namespace SaferGuard.Exporter.Tests;

/// <summary>What a runner does beside arithmetic: it copies blocks, and leaves no garbage.</summary>
public sealed class RunnerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_copied_block_reads_as_the_original_and_is_another() => Runs.ForkAndCompare(_folder, WeightFormat.Fp32, limit: 1e-6);

    [Theory]
    [InlineData(nameof(WeightFormat.Fp32))]
    [InlineData(nameof(WeightFormat.Int8))]
    public void A_pass_allocates_no_managed_memory_whatever_its_shape(string format) => Runs.AllocateNothing(_folder, Enum.Parse<WeightFormat>(format));
}
