namespace SaferGuard.Training.Data;

/// <summary>What a row is used for.</summary>
internal static class DataSplit
{
    public const string Train = "train";

    /// <summary>Whole sources left out of training; recipes are chosen by these, because a random split only tests whether a style is known.</summary>
    public const string Dev = "dev";

    /// <summary>The rows that the files themselves keep out of training, of sources that are trained on. They show little: a known style is judged well.</summary>
    public const string Calibration = "calibration";
}
