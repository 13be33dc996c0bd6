using SamCompress.IR;

namespace SamCompress.Passes.Pruning.Importance;

/// <summary>Says what each channel of a group is worth. Numbers are compared within a group; across groups after a <see cref="ScoreNormalization"/>.</summary>
public abstract class ChannelImportance
{
    /// <summary>As it is named on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>One number for each channel, none negative; the largest is the most important.</summary>
    public abstract double[] Score(ChannelGroup group);

    /// <summary>The scores of groups by name, as <see cref="PruningPlanner"/> takes them.</summary>
    public IReadOnlyDictionary<string, double[]> Score(IEnumerable<ChannelGroup> groups)
    {
        ArgumentNullException.ThrowIfNull(groups);
        return groups.ToDictionary(g => g.Name, Score, StringComparer.Ordinal);
    }
}

/// <summary>Importance by the weights of a channel: something of the rows or columns of each layer, then the mean over the layers. Biases, normalizations and tables do not count.</summary>
public abstract class WeightImportance : ChannelImportance
{
    public sealed override double[] Score(ChannelGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        ChannelMember[] layers = [.. group.Members.Where(m => m.IsWeight)];
        var mean = new double[group.Size];
        foreach (ChannelMember layer in layers)
        {
            double[] sums = Sums(layer, group.Size);
            for (int c = 0; c < mean.Length; c++)
                mean[c] += Finish(sums[c]) / layers.Length;
        }

        return mean;
    }

    /// <summary>The other factor of each weight, in its order; null where there is none.</summary>
    private protected virtual float[]? FactorOf(ChannelMember layer) => null;

    /// <summary>What a run of weights adds to the sum of its channel.</summary>
    private protected abstract double Term(ReadOnlySpan<float> weights, ReadOnlySpan<float> factors);

    /// <summary>What the sum over a layer comes to.</summary>
    private protected virtual double Finish(double sum) => sum;

    private double[] Sums(ChannelMember layer, int channels)
    {
        Tensor tensor = layer.Tensor;
        float[]? factors = FactorOf(layer);
        int inner = (int)tensor.Dimensions.Skip(layer.Axis + 1).Aggregate(1L, (product, d) => product * d);
        var sums = new double[channels];
        using TensorLease lease = tensor.Open();
        ReadOnlySpan<float> weights = lease.As<float>();
        for (int start = 0, row = 0; start < weights.Length; start += inner, row++)
        {
            int channel = layer.Channels[row % layer.Channels.Length];
            if (channel >= 0)
                sums[channel] += Term(weights.Slice(start, inner), factors is null ? [] : factors.AsSpan(start, inner));
        }

        return sums;
    }
}
