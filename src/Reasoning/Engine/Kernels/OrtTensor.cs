using System.Runtime.CompilerServices;

namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>An input of a custom op: its elements and its shape, whose rank was checked.</summary>
internal readonly unsafe struct OrtTensor
{
    private const int MaxRank = 4;

    private readonly void* data;
    private readonly Dimensions shape;

    /// <exception cref="InvalidDataException">The input is absent, of another rank, or too large.</exception>
    public OrtTensor(nint context, int index, string name, int rank)
    {
        var value = OrtFunctions.Input(context, index);
        if (value == 0)
            throw new InvalidDataException($"{name} is missing.");
        Span<long> dimensions = stackalloc long[MaxRank];
        var found = OrtFunctions.Shape(value, dimensions);
        if (found != rank)
            throw new InvalidDataException($"{name} has {found} dimensions, not {rank}.");
        for (var i = 0; i < rank; i++)
        {
            if (dimensions[i] is < 0 or > int.MaxValue)
                throw new InvalidDataException($"Dimension {i} of {name} is {dimensions[i]}.");
            shape[i] = (int)dimensions[i];
        }

        data = OrtFunctions.Data(value);
    }

    public float* Floats => (float*)data;

    public int* Integers => (int*)data;

    public int this[int dimension] => shape[dimension];

    [InlineArray(MaxRank)]
    private struct Dimensions
    {
        private int first;
    }
}
