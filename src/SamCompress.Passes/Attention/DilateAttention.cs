using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Attention;

/// <summary>Along which sides of a map tokens are left out.</summary>
public enum DilatedAxes
{
    Both,

    /// <summary>Every which row, whole.</summary>
    Rows,

    /// <summary>Every which column, whole.</summary>
    Columns,
}

/// <summary>
/// Lets tokens attend only to those of their own phase: softmax(q.k).v over all tokens => the same over each set of tokens whose rows and columns leave the same
/// remainders by the interval (2-D), or over every interval-th token of a segment (1-D).
/// </summary>
/// <remarks>
/// Approximate; equals attention with a mask "same phase", and takes a part of 1 / interval^2 of its products (2-D), or segment / (tokens * interval) (1-D). Relative
/// positions are kept exactly: offsets within a phase are multiples of the interval, the same for all phases. SAM-Lightening (arXiv 2403.09195), dilated flash
/// attention; all phases are computed and put back in place. Guards: all tokens attend to each other before; the interval divides the sides of the map; a segment
/// holds whole rows of a map with relative positions.
/// </remarks>
/// <param name="interval">From 2 on.</param>
/// <param name="segment">The tokens of a segment for 1-D dilation, a multiple of the interval; null for 2-D.</param>
/// <param name="axes">Of 2-D dilation: the sides that are dilated. The other one stays whole, and a part of 1 / interval of the products is left.</param>
/// <param name="localKernel">The side of the kernels by which neighbours mix behind it (docs/attention.md); null for none.</param>
public sealed class DilateAttention(AttentionSelection selection, int interval, long? segment = null, DilatedAxes axes = DilatedAxes.Both, int? localKernel = null) : AttentionRewrite(selection, localKernel)
{
    private int Rows => axes == DilatedAxes.Columns ? 1 : interval;

    private int Columns => axes == DilatedAxes.Rows ? 1 : interval;

    protected override string? Refusal(SelfAttention attention)
    {
        ArgumentNullException.ThrowIfNull(attention);
        long tokens = attention.Order.TokenCount;
        if (interval < 2)
            return "the interval must be at least 2";
        if (!attention.IsGlobal)
            return "it is cut into windows or phases already";
        if (attention.Position is not (NoPosition or DecomposedPosition))
            return "its term for positions cannot be taken apart into phases";
        if (segment is not { } length)
            return attention.Map is not { } map ? "its tokens are no map with known sides" : map.Height % Rows != 0 || map.Width % Columns != 0 ? $"an interval of {interval} does not divide a map of {map.Height} x {map.Width}" : null;
        if (length < 1 || tokens % length != 0 || length % interval != 0)
            return $"a segment of {length} must divide {tokens} tokens and be a multiple of {interval}";
        return attention.Position is DecomposedPosition p && (length % p.Columns != 0 || p.Columns % interval != 0)
            ? $"a segment of {length} with interval {interval} cuts through rows of {p.Columns} tokens, whose relative positions would not be the same in all"
            : null;
    }

    private protected override Value Write(GraphBuilder graph, SelfAttention attention)
    {
        (TokenOrder order, PositionTerm position) = segment is { } length
            ? (TokenOrder.Segments(attention.Order.TokenCount, length, interval), InSegments(graph, attention.Position, length))
            : (TokenOrder.Phases(attention.Map!.Value.Height, attention.Map.Value.Width, Rows, Columns), InPhases(graph, attention.Position));
        var writer = new AttentionWriter(graph, attention, attention.Layer.Output, order, position);
        return writer.MergeHeads(writer.Products(), attention.Projection.Input.Shape!.ToStatic()!);
    }

    private PositionTerm InPhases(GraphBuilder graph, PositionTerm position) => position is DecomposedPosition p
        ? new DecomposedPosition(RelativePosition.Every(graph, p.Height, Rows), RelativePosition.Every(graph, p.Width, Columns), p.Factor)
        : position;

    /// <summary>Offsets of rows within a segment are those of the first rows; columns are every interval-th.</summary>
    private PositionTerm InSegments(GraphBuilder graph, PositionTerm position, long length) => position is DecomposedPosition p
        ? new DecomposedPosition(RelativePosition.First(graph, p.Height, length / p.Columns), RelativePosition.Every(graph, p.Width, interval), p.Factor)
        : position;
}
