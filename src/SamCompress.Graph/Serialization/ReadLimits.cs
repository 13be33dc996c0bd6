namespace SamCompress.IR;

/// <summary>How much a model file may hold. What is over is refused while the file is walked, before memory is taken for it.</summary>
/// <remarks>The defaults are a hundred times what the largest exports of Segment Anything have, and cost some gigabytes of memory at most.</remarks>
public sealed record ReadLimits
{
    public static ReadLimits Default { get; } = new();

    /// <summary>For what was read within limits before, or made here.</summary>
    public static ReadLimits None { get; } = new() { MaxNodes = long.MaxValue, MaxTensors = long.MaxValue, MaxGraphBytes = MostGraphBytes };

    /// <summary>What Google.Protobuf can read, and the highest that <see cref="MaxGraphBytes"/> may be.</summary>
    public const long MostGraphBytes = int.MaxValue - (1 << 20);

    /// <summary>Nodes, with those of subgraphs and functions.</summary>
    public long MaxNodes { get; init; } = 1_000_000;

    /// <summary>Initializers and tensors of attributes.</summary>
    public long MaxTensors { get; init; } = 1_000_000;

    /// <summary>Bytes of the file without the data of big tensors.</summary>
    public long MaxGraphBytes { get; init; } = 1L << 29;
}
