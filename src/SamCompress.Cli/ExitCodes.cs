namespace SamCompress.Cli;

/// <summary>The exit codes that do not stem from a <see cref="FailureKind"/>.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>A valid result that is negative: a gate missed, problems found.</summary>
    public const int Negative = 1;

    public const int Bug = 70;

    public const int Interrupted = 130;

    public const int Terminated = 143;
}
