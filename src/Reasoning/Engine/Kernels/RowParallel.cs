namespace SaferGuard.Reasoning.Engine.Kernels;

/// <summary>Work on rows that do not depend on each other: a few are done where the op runs, more on all of the session's threads.</summary>
internal static unsafe class RowParallel
{
    /// <param name="unitRows">Rows of a unit: as many as are worth a thread's attention.</param>
    /// <param name="body">Takes the job and the index of a unit.</param>
    public static void Run(nint context, int rows, int unitRows, delegate* unmanaged<void*, nuint, void> body, void* job)
    {
        if (rows == 0)
            return;
        if (rows <= unitRows)
            body(job, 0);
        else
            OrtFunctions.ParallelFor(context, body, (rows + unitRows - 1) / unitRows, job);
    }
}
