using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>Counts the bytes that a node reads and writes, as if nothing stayed in a cache. Values of unknown shape count nothing.</summary>
internal static class MemoryTraffic
{
    public static long Bytes(Value value) => value.Shape?.ElementCount is { } count ? value.ElementType.ByteLength(count) : 0;

    /// <summary>Whether the output is the input under another shape.</summary>
    public static bool IsView(Node node) => node.Domain.Length == 0 && node.OpType is "Reshape" or "Squeeze" or "Unsqueeze" or "Flatten" or "Identity";

    /// <summary>
    /// Inputs and weights read, each once, and outputs written. Views cost nothing, what selects reads no more than it writes,
    /// and the nodes of a body count for the node that owns it.
    /// </summary>
    public static long Moved(Node node)
    {
        if (IsView(node) || node.Subgraphs.Any())
            return 0;
        long written = node.Outputs.Sum(output => output is null ? 0 : Bytes(output));
        long read = Selects(node) ? written : node.Inputs.OfType<Value>().Distinct().Sum(Bytes);
        return read + written;
    }

    private static bool Selects(Node node) => node.OpType is "Slice" or "Gather" or "GatherND" or "GatherElements";
}
