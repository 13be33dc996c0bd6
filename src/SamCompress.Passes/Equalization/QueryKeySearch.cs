namespace SamCompress.Passes.Equalization;

/// <summary>Query channels are multiplied by QueryFactor, keys become (k - KeyShift) * KeyFactor; the logits of head h then are HeadFactor[h] times what they were.</summary>
/// <param name="KeyShift">Null for none.</param>
/// <param name="ErrorShare">What is left of the estimated error, without what other pictures lose at the ends of the range in any case.</param>
internal sealed record QueryKeyEqualization(float[] QueryFactor, float[] KeyFactor, float[]? KeyShift, float[] HeadFactor, double ErrorShare);

/// <summary>
/// Chooses how query and key are evened out, by the error of the logits: error(q) * E[k^2] + error(k) * E[q^2], summed over the channels of all heads, as
/// the logits see it, with the errors of <see cref="ChannelRanges.RoundingErrors"/>.
/// </summary>
internal sealed class QueryKeySearch(ChannelRanges query, ChannelRanges key, int headSize, EqualizationOptions options)
{
    private static readonly double[] Strengths = [0, 0.25, 0.4, 0.5, 0.6, 0.75, 1];

    /// <summary>Whether channels of query and key can be scaled against each other.</summary>
    public bool CanScale { get; init; }

    /// <summary>Whether a constant can be taken from the keys.</summary>
    public bool CanShift { get; init; }

    /// <summary>Whether the logits of a head can be scaled.</summary>
    public bool CanScaleHeads { get; init; }

    private int Channels => key.Count;

    /// <returns>Null when no candidate lowers the error enough.</returns>
    public QueryKeyEqualization? Choose()
    {
        float[] ones = [.. key.Min.Select(_ => 1f)];
        float[] heads = [.. Enumerable.Repeat(1f, Channels / headSize)];
        double before = Error(ones, ones, null, heads, options), avoidable = Error(ones, ones, null, heads, options with { Overshoot = 0 });
        float[] middle = [.. key.Min.Zip(key.Max, (low, high) => (float)((low + high) / 2))], mean = [.. key.Mean.Select(m => (float)m)];
        QueryKeyEqualization? best = null;
        foreach (float[]? shift in CanShift ? [null, middle, mean] : (float[]?[])[null])
        {
            foreach (float[] factors in Factors(shift).Prepend(ones))
            {
                foreach (bool scaleHeads in CanScaleHeads ? [false, true] : (bool[])[false])
                {
                    QueryKeyEqualization candidate = Candidate(factors, shift, scaleHeads);
                    candidate = candidate with { ErrorShare = 1 - ((before - Error(candidate.QueryFactor, candidate.KeyFactor, shift, candidate.HeadFactor, options)) / avoidable) };
                    if (candidate.ErrorShare < (best?.ErrorShare ?? (1 - options.LeastGain)))
                        best = candidate;
                }
            }
        }

        return best;
    }

    private IEnumerable<float[]> Factors(float[]? shift)
    {
        if (!CanScale)
            return [];
        double[] queryReach = EqualizationSearch.Floored([.. Enumerable.Range(0, Channels).Select(c => query.Reach(c, 0))]);
        double[] keyReach = EqualizationSearch.Floored([.. Enumerable.Range(0, Channels).Select(c => key.Reach(c, shift?[c] ?? 0))]);
        return Strengths.Select(strength =>
        {
            float[] factors = EqualizationSearch.Normalized([.. queryReach.Zip(keyReach, (q, k) => Math.Pow(k, 1 - strength) / Math.Pow(q, strength))]);
            return shift is null ? [.. factors.Select((f, c) => key.Mean[c] < 0 ? -f : f)] : factors;
        });
    }

    private QueryKeyEqualization Candidate(float[] factors, float[]? shift, bool scaleHeads)
    {
        float[] queryFactor = [.. factors], keyFactor = [.. factors.Select(f => 1 / f)];
        var headFactor = new float[Channels / headSize];
        Array.Fill(headFactor, 1);
        if (scaleHeads)
        {
            float[] forQuery = ToLargest(query, queryFactor, null), forKey = ToLargest(key, keyFactor, shift);
            for (int h = 0; h < headFactor.Length; h++)
                headFactor[h] = forQuery[h] * forKey[h];
            for (int c = 0; c < Channels; c++)
            {
                queryFactor[c] *= forQuery[c / headSize];
                keyFactor[c] *= forKey[c / headSize];
            }
        }

        return new QueryKeyEqualization(queryFactor, keyFactor, shift, headFactor, 1);
    }

    /// <summary>For each head the factor that makes it as wide as the widest.</summary>
    private float[] ToLargest(ChannelRanges ranges, float[] factors, float[]? shift)
    {
        var widest = new double[Channels / headSize];
        for (int c = 0; c < Channels; c++)
            widest[c / headSize] = Math.Max(widest[c / headSize], ranges.Reach(c, shift?[c] ?? 0) * Math.Abs(factors[c]));
        widest = EqualizationSearch.Floored(widest);
        double largest = widest.Max();
        return [.. widest.Select(w => (float)(largest / w))];
    }

    private double Error(float[] queryFactor, float[] keyFactor, float[]? shift, float[] headFactor, EqualizationOptions used)
    {
        double[] queryRounding = query.RoundingErrors(queryFactor, default, used), queryEnergy = query.Energies(queryFactor, default);
        double[] keyRounding = key.RoundingErrors(keyFactor, shift, used), keyEnergy = key.Energies(keyFactor, shift);
        double error = 0;
        for (int c = 0; c < Channels; c++)
            error += ((queryRounding[c] * keyEnergy[c]) + (keyRounding[c] * queryEnergy[c])) / ((double)headFactor[c / headSize] * headFactor[c / headSize]);
        return error;
    }
}
