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

    /// <summary>The elements of an optional vector of the length; null if it is absent.</summary>
    public static float* OptionalRow(nint context, int index, string name, int length)
    {
        if (OrtFunctions.Input(context, index) == 0)
            return null;
        var row = new OrtTensor(context, index, name, rank: 1);
        row.RequireShape(name, length);
        return row.Floats;
    }

    /// <exception cref="InvalidDataException">The shape is another.</exception>
    public void RequireShape(string name, int first, int second = 0)
    {
        if (shape[0] != first || shape[1] != second)
            throw new InvalidDataException($"{name} is ({shape[0]}, {shape[1]}), not ({first}, {second}).");
    }

    /// <exception cref="InvalidDataException">It does not hold.</exception>
    public static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new InvalidDataException(otherwise);
    }

    [InlineArray(MaxRank)]
    private struct Dimensions
    {
        private int first;
    }
}
