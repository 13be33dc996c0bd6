namespace SamCompress.IR;

public sealed record ReadOptions
{
    public static ReadOptions Default { get; } = new();

    /// <summary>
    /// Whether a missing data file is accepted. Its tensors then have type and shape, and opening one is an error that names the file.
    /// </summary>
    public bool AllowMissingData { get; init; }

    /// <summary>Whether what is only suspicious is refused as well: all that would be in <see cref="Model.Findings"/>.</summary>
    public bool Strict { get; init; }

    public ReadLimits Limits { get; init; } = ReadLimits.Default;
}
