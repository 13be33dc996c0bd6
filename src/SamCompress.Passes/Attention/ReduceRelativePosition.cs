using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Attention;

/// <summary>
/// Projects relative positions on the basis that calibration data need: q.k^T + [q.Height | q.Width].B => q.k^T + (q.Height' + q.Width').B' with as few columns as
/// the error of the logits allows. The rows of B' are the principal directions of what [q.Height | q.Width] was on calibration pictures.
/// </summary>
/// <remarks>
/// Approximate: the root mean square error of a logit on the calibration pictures is at most the bound, which is the tail of the spectrum (docs/attention.md). What all
/// keys of a query share is left out, because a Softmax does not see it. Our design; the basis of a singular value decomposition is the best of its rank for this
/// error. Without the means of both parts rows + columns - 2 directions are left, which is exact and the most that is ever used.
/// Guards: relative positions as <see cref="FoldRelativePosition"/> writes them, and observed; a given rank is only used when it is below the number of columns.
/// </remarks>
/// <param name="statistics">Of the values of <see cref="RequestedStatistics"/>.</param>
/// <param name="error">The root mean square error of a logit that is allowed.</param>
/// <param name="rank">Used whatever the error is; null for the smallest that keeps the bound, a multiple of 8 where there is one below the exact rank.</param>
public sealed class ReduceRelativePosition(AttentionSelection selection, CalibrationStatistics statistics, double error = ReduceRelativePosition.DefaultError, int? rank = null)
    : AttentionRewrite(selection)
{
    public const double DefaultError = 0.05;

    /// <summary>Ranks are multiples of it: vector registers are full.</summary>
    private const int RankStep = 8;

    /// <summary>The mean over the rows and that over the columns, which a Softmax does not see.</summary>
    private const int MeansOfParts = 2;

    /// <summary>The columns of folded relative positions.</summary>
    public static IReadOnlyList<ObservedValue> RequestedStatistics(Model model, AttentionSelection selection)
    {
        ArgumentNullException.ThrowIfNull(selection);
        return
        [
            .. selection.Of(SelfAttentionReader.Read(model)).Where(a => Columns(a.Attention) is not null)
                .Select(a => Columns(a.Attention)!).Select(c => new ObservedValue(c.Name, -1, (int)c.Shape![^1].Value!.Value, ObservationDetail.SecondMoments)),
        ];
    }

    protected override string? Refusal(SelfAttention attention)
    {
        ArgumentNullException.ThrowIfNull(attention);
        if (attention.Position is not DecomposedPosition position || Columns(attention) is not { } columns)
            return "its relative positions are not folded";
        if (statistics.Find(columns.Name)?.Samples is not { Gram.Length: > 0 })
            return $"'{columns.Name}' was not observed";
        return Table(position.Height) is null || Table(position.Width) is null ? "a table of relative positions is no constant" : null;
    }

    private protected override Value Write(GraphBuilder graph, SelfAttention attention)
    {
        var position = (DecomposedPosition)attention.Position;
        var spectrum = PositionSpectrum.Of(statistics.Find(Columns(attention)!.Name)!.Samples!.Gram, (int)position.Rows, (int)position.Columns);
        int columns = rank ?? Math.Min(spectrum.RankFor(error, RankStep), (int)(position.Rows + position.Columns) - MeansOfParts);
        if (columns >= position.Rows + position.Columns)
            return attention.Projection.Input;
        (float[,] encoder, float[,] decoder) = spectrum.Basis(columns);
        var reduced = new ProjectedPosition(
            Contracted(graph, position.Height, encoder, 0),
            Contracted(graph, position.Width, encoder, (int)position.Rows),
            graph.Constant(OfKeys(decoder, (int)position.Rows, (int)position.Columns), position.Height.Name + "_keys"),
            position.Factor);
        var writer = new AttentionWriter(graph, attention, attention.Layer.Output, attention.Order, reduced);
        return writer.MergeHeads(writer.Products(), attention.Projection.Input.Shape!.ToStatic()!);
    }

    /// <summary>[q.Height | q.Width] of an attention whose position is folded, or null.</summary>
    private static Value? Columns(SelfAttention attention) =>
        attention.Position is DecomposedPosition
            ? attention.Block.QueryKey!.Query.OtherReadings.Select(r => r.Reader!.Output.Uses).Where(u => u is [{ Node.OpType: "Concat" }]).Select(u => u[0].Node.Output).FirstOrDefault()
            : null;

    /// <summary>An initializer, or rows gathered from one.</summary>
    private static float[]? Table(Value value)
    {
        if (value.Constant is { } constant)
            return constant.ToArray<float>();
        if (value.Producer is not { OpType: "Gather", Domain: "" } gather || gather.GetInt("axis", 0) != 0 || gather.Input(0)?.Constant is not { Rank: 2 } table || gather.Input(1)?.Constant is not { } indices)
            return null;
        float[] rows = table.ToArray<float>();
        int width = (int)table.Dimensions[1];
        var result = new float[indices.Count * width];
        long[] places = indices.ToInt64s();
        for (int i = 0; i < places.Length; i++)
            rows.AsSpan((int)((places[i] + table.Dimensions[0]) % table.Dimensions[0]) * width, width).CopyTo(result.AsSpan(i * width));
        return result;
    }

    /// <summary>[n, n, d] => [n, d, rank]: the sum over keys k of table[y, k, c] * encoder[first + k, r].</summary>
    private static Value Contracted(GraphBuilder graph, Value table, float[,] encoder, int first)
    {
        (int n, int size, int columns) = ((int)table.Shape![0].Value!.Value, (int)table.Shape[2].Value!.Value, encoder.GetLength(1));
        float[] elements = Table(table)!, result = new float[n * size * columns];
        for (int y = 0; y < n; y++)
        {
            for (int c = 0; c < size; c++)
            {
                for (int r = 0; r < columns; r++)
                {
                    double sum = 0;
                    for (int k = 0; k < n; k++)
                        sum += (double)elements[(((y * n) + k) * size) + c] * encoder[first + k, r];
                    result[(((y * size) + c) * columns) + r] = (float)sum;
                }
            }
        }

        return graph.Constant(Tensor.Of(result, n, size, columns), table.Name + "_reduced");
    }

    /// <summary>[rank, tokens]: for a key the sum of what its row and its column are in the basis.</summary>
    private static Tensor OfKeys(float[,] decoder, int rows, int columns)
    {
        int rank = decoder.GetLength(1), keys = rows * columns;
        var result = new float[rank * keys];
        for (int r = 0; r < rank; r++)
        {
            for (int key = 0; key < keys; key++)
                result[(r * keys) + key] = decoder[key / columns, r] + decoder[rows + (key % columns), r];
        }

        return Tensor.Of(result, rank, keys);
    }
}
