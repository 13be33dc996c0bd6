namespace SamCompress.Runtime.Segmentation;

/// <summary>How each element along an axis of a resized plane is made of neighbouring elements of the old one.</summary>
/// <param name="Taps">How many old elements each new one may be made of.</param>
/// <param name="Starts">The first of them, for each new element.</param>
/// <param name="Weights">Taps for each new element; 0 for those that do not take part.</param>
internal sealed record AxisWeights(int Taps, int[] Starts, float[] Weights)
{
    public int Length => Starts.Length;

    public ReadOnlySpan<float> Of(int index) => Weights.AsSpan(index * Taps, Taps);

    public static AxisWeights Identity(int length) => Pack([.. Enumerable.Range(0, length).Select(i => new SortedDictionary<int, double> { [i] = 1 })], length);

    /// <summary>Bilinear from <paramref name="from"/> to <paramref name="between"/> elements, the first <paramref name="cut"/> of these, bilinear to <paramref name="to"/>: two sparse matrices in one.</summary>
    public static AxisWeights Twice(int from, int between, int cut, int to)
    {
        SortedDictionary<int, double>[] first = Bilinear(from, between), second = Bilinear(cut, to);
        return Pack([.. second.Select(row =>
        {
            var sum = new SortedDictionary<int, double>();
            foreach ((int middle, double weight) in row)
            {
                foreach ((int source, double inner) in first[middle])
                    sum[source] = sum.GetValueOrDefault(source) + (weight * inner);
            }

            return sum;
        })], from);
    }

    /// <summary>PyTorch's interpolate with align_corners=False: half-pixel centres, no antialiasing, clamped to the first element.</summary>
    private static SortedDictionary<int, double>[] Bilinear(int from, int to)
    {
        var rows = new SortedDictionary<int, double>[to];
        for (int i = 0; i < to; i++)
        {
            double source = Math.Max(0, ((i + 0.5) * from / to) - 0.5);
            int left = Math.Min((int)source, from - 1), right = Math.Min(left + 1, from - 1);
            rows[i] = new SortedDictionary<int, double> { [left] = 1 };
            if (right > left)
                (rows[i][left], rows[i][right]) = (1 - (source - left), source - left);
        }

        return rows;
    }

    private static AxisWeights Pack(SortedDictionary<int, double>[] rows, int from)
    {
        int taps = rows.Max(r => r.Keys.Last() - r.Keys.First() + 1);
        var starts = new int[rows.Length];
        var weights = new float[rows.Length * taps];
        for (int i = 0; i < rows.Length; i++)
        {
            starts[i] = Math.Min(rows[i].Keys.First(), from - taps);
            foreach ((int source, double weight) in rows[i])
                weights[(i * taps) + source - starts[i]] = (float)weight;
        }

        return new AxisWeights(taps, starts, weights);
    }
}
