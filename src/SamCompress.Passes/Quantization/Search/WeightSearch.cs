using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Quantization.Search;

/// <summary>
/// Searches the scale of each output channel, or of each block of inputs of one. All channels share a sweep over the candidates: a candidate is tried on all
/// of them at once, each keeps its own best. The error is sum_k d_k (w_k - q(w_k))^2 with d_k = E[x_k^2]; the best <see cref="Finalists"/> of each channel
/// are then judged by the whole quadratic form (w - q)^T G (w - q), with G = E[x x^T], where that is known.
/// </summary>
internal sealed class WeightSearch(WeightMatrix weight, int highest, SearchMetric metric)
{
    private const int Finalists = 5;

    /// <param name="power">d, one for each row of the weight.</param>
    /// <param name="gram">G, or empty.</param>
    /// <returns>Symmetric scales, one for each output channel.</returns>
    public float[] Find(ReadOnlySpan<float> power, float[] gram)
    {
        int columns = weight.Columns;
        float[] bases = Bases(0, weight.Rows);
        var losses = new float[ActivationSearch.Candidates][];
        float[] importance = power.ToArray();
        Parallel.For(0, losses.Length, i => losses[i] = Losses(Scaled(bases, i), importance, 0, weight.Rows));
        int[][] order = Order(losses, gram.Length > 0 ? Finalists : 1);
        if (gram.Length == 0)
            return [.. bases.Select((b, c) => QuantizationGrid.Usable(b * Factor(order[0][c])))];

        var best = new float[columns];
        var bestLoss = new float[columns];
        foreach (int[] finalist in order)
        {
            float[] scales = [.. bases.Select((b, c) => QuantizationGrid.Usable(b * Factor(finalist[c])))];
            float[] loss = QuadraticLosses(scales, gram, 0, weight.Rows);
            for (int c = 0; c < columns; c++)
            {
                if (best[c] == 0 || loss[c] < bestLoss[c])
                    (best[c], bestLoss[c]) = (scales[c], loss[c]);
            }
        }

        return best;
    }

    /// <summary>Without a search: the scales whose highest code is the largest weight of each output channel.</summary>
    public float[] Largest() => [.. Bases(0, weight.Rows).Select(QuantizationGrid.Usable)];

    public float[] LargestOfBlocks(int block) => Blocks(block, (start, end) => [.. Bases(start, end).Select(QuantizationGrid.Usable)]);

    /// <summary>The same for blocks of inputs that each have a scale; a block is judged by the part of G that belongs to it.</summary>
    /// <returns>The blocks of an output channel one after another.</returns>
    public float[] FindBlocks(ReadOnlySpan<float> power, float[] moments, int block)
    {
        float[] importance = power.ToArray();
        return Blocks(block, (start, end) =>
        {
            float[] own = moments.Length > 0 ? Part(moments, start, end) : [], bases = Bases(start, end);
            var losses = new float[ActivationSearch.Candidates][];
            for (int i = 0; i < losses.Length; i++)
                losses[i] = own.Length > 0 ? QuadraticLosses(Scaled(bases, i), own, start, end) : Losses(Scaled(bases, i), importance, start, end);
            int[] best = Order(losses, 1)[0];
            return [.. bases.Select((b, c) => QuantizationGrid.Usable(b * Factor(best[c])))];
        });
    }

    private float[] Blocks(int block, Func<int, int, float[]> scalesOf)
    {
        int blocks = (weight.Rows + block - 1) / block;
        var scales = new float[weight.Columns * blocks];
        Parallel.For(0, blocks, b =>
        {
            float[] own = scalesOf(b * block, Math.Min((b + 1) * block, weight.Rows));
            for (int c = 0; c < own.Length; c++)
                scales[(c * blocks) + b] = own[c];
        });
        return scales;
    }

    private float[] Part(float[] moments, int start, int end)
    {
        int count = end - start;
        var part = new float[count * count];
        for (int k = 0; k < count; k++)
            moments.AsSpan(((start + k) * weight.Rows) + start, count).CopyTo(part.AsSpan(k * count, count));
        return part;
    }

    private static float Factor(int candidate) =>
        (float)(ActivationSearch.Least + ((ActivationSearch.Greatest - ActivationSearch.Least) * candidate / (ActivationSearch.Candidates - 1)));

    private static float[] Scaled(float[] bases, int candidate)
    {
        var scales = new float[bases.Length];
        Tp.Multiply(bases, Factor(candidate), scales);
        for (int c = 0; c < scales.Length; c++)
            scales[c] = QuantizationGrid.Usable(scales[c]);
        return scales;
    }

    /// <summary>For each channel the scale whose highest code is the largest magnitude.</summary>
    private float[] Bases(int start, int end)
    {
        var most = new float[weight.Columns];
        for (int k = start; k < end; k++)
            Tp.MaxMagnitude(weight.Elements.AsSpan(k * weight.Columns, weight.Columns), most, most);
        Tp.Abs(most, most);
        Tp.Divide(most, highest, most);
        return most;
    }

    private float[] Losses(float[] scales, float[] importance, int start, int end)
    {
        int columns = weight.Columns;
        var loss = new float[columns];
        var power = metric == SearchMetric.Cosine ? new float[columns] : [];
        var product = metric == SearchMetric.Cosine ? new float[columns] : [];
        var rounded = new float[columns];
        for (int k = start; k < end; k++)
        {
            ReadOnlySpan<float> row = weight.Elements.AsSpan(k * columns, columns);
            Round(row, scales, rounded);
            if (metric == SearchMetric.Cosine)
            {
                for (int c = 0; c < columns; c++)
                {
                    power[c] += importance[k] * rounded[c] * rounded[c];
                    product[c] += importance[k] * rounded[c] * row[c];
                }

                continue;
            }

            Tp.Subtract(row, rounded, rounded);
            Tp.Multiply(rounded, rounded, rounded);
            Tp.MultiplyAdd(rounded, importance[k], loss, loss);
        }

        for (int c = 0; c < power.Length; c++)
            loss[c] = power[c] > 0 ? -product[c] / MathF.Sqrt(power[c]) : 0;
        return loss;
    }

    /// <summary>(w - q)^T G (w - q) of each channel, over the inputs from <paramref name="start"/> to before <paramref name="end"/> that G is of.</summary>
    private float[] QuadraticLosses(float[] scales, float[] gram, int start, int end)
    {
        int rows = end - start, columns = weight.Columns;
        var error = new float[rows * columns];
        for (int k = 0; k < rows; k++)
        {
            ReadOnlySpan<float> row = weight.Elements.AsSpan((start + k) * columns, columns);
            Span<float> e = error.AsSpan(k * columns, columns);
            Round(row, scales, e);
            Tp.Subtract(row, e, e);
        }

        const int Slab = 64;
        var partial = new float[(rows + Slab - 1) / Slab][];
        Parallel.For(0, partial.Length, s =>
        {
            int first = s * Slab, count = Math.Min(Slab, rows - first);
            var product = new float[count * columns];
            DenseMatrix.MultiplyAdd(gram.AsSpan(first * rows, count * rows), error, product, count, rows, columns);
            var sum = new float[columns];
            for (int k = 0; k < count; k++)
                Tp.MultiplyAdd(product.AsSpan(k * columns, columns), error.AsSpan((first + k) * columns, columns), sum, sum);
            partial[s] = sum;
        });
        float[] losses = partial[0];
        foreach (float[] other in partial.AsSpan(1))
            Tp.Add(losses, other, losses);
        return losses;
    }

    private void Round(ReadOnlySpan<float> row, float[] scales, Span<float> result)
    {
        Tp.Divide(row, scales, result);
        Tp.Round(result, result);
        Tp.Max(result, -highest, result);
        Tp.Min(result, highest, result);
        Tp.Multiply(result, scales, result);
    }

    /// <summary>The candidates with the least losses for each channel, the best first; among equals the greater scale.</summary>
    private static int[][] Order(float[][] losses, int count)
    {
        int columns = losses[0].Length;
        var order = new int[count][];
        for (int rank = 0; rank < count; rank++)
            order[rank] = new int[columns];
        Span<int> best = stackalloc int[count];
        for (int c = 0; c < columns; c++)
        {
            int found = 0;
            for (int i = losses.Length - 1; i >= 0; i--)
            {
                int place = found;
                while (place > 0 && losses[i][c] < losses[best[place - 1]][c])
                    place--;
                if (place >= count)
                    continue;
                found = Math.Min(found + 1, count);
                for (int j = found - 1; j > place; j--)
                    best[j] = best[j - 1];
                best[place] = i;
            }

            for (int rank = 0; rank < count; rank++)
                order[rank][c] = best[rank];
        }

        return order;
    }
}
