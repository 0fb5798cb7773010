namespace SaferGuard.Api.Telemetry;

/// <summary>Which way a text goes that is judged, or that was not.</summary>
internal enum Direction
{
    /// <summary>To the model: prompts, conversations, results of tools.</summary>
    Input,

    /// <summary>From the model to the user.</summary>
    Output,
}
