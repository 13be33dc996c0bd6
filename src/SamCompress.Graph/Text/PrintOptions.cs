namespace SamCompress.IR.Text;

/// <summary>How much of a model <see cref="GraphPrinter"/> shows.</summary>
public sealed record PrintOptions
{
    /// <summary>Everything, so that the text can be parsed back.</summary>
    public static PrintOptions Full { get; } = new();

    /// <summary>For people and snapshots: weights as hash and statistics, types beside the nodes.</summary>
    public static PrintOptions Readable { get; } = new() { MaxElements = 16, TypesAsComments = true };

    /// <summary>
    /// A tensor with more elements is shown by the first 12 digits of the SHA-256 of its raw bytes and by minimum, maximum and mean.
    /// Such text cannot be parsed.
    /// </summary>
    public long MaxElements { get; init; } = long.MaxValue;

    /// <summary>Puts the types of values in a comment behind the node that makes them, in place of a list before the nodes.</summary>
    public bool TypesAsComments { get; init; }
}
