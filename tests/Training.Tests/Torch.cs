using TorchSharp;

namespace SaferGuard.Training.Tests;

/// <summary>Tests that use torch run one at a time: its random numbers and its count of tensors belong to the whole process.</summary>
[CollectionDefinition(nameof(Torch), DisableParallelization = true)]
public sealed class Torch : ICollectionFixture<Torch.OneThread>
{
    /// <summary>The tensors of tests are too small to share out; threads would only wait for each other.</summary>
    public sealed class OneThread
    {
        public OneThread() => torch.set_num_threads(1);
    }
}
