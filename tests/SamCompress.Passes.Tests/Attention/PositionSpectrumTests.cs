using SamCompress.Passes.Attention;

namespace SamCompress.Passes.Tests.Attention;

public sealed class PositionSpectrumTests
{
    /// <summary>Rows (a, -a) and columns 0: a logit gets a or -a, so that its mean square is a^2, in one direction.</summary>
    [Fact]
    public void A_single_direction_holds_all_of_the_mean_square()
    {
        float a = 3;
        var spectrum = PositionSpectrum.Of([a * a, -a * a, 0, 0, -a * a, a * a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 2, 2);
        Assert.Equal([9, 0, 0, 0], spectrum.Variances.Select(v => Math.Round(v, 9)));
        Assert.Equal(3, spectrum.ErrorOf(0), 9);
        Assert.Equal(0, spectrum.ErrorOf(1), 9);
        Assert.Equal(1, spectrum.RankFor(2.9, 1));
        Assert.Equal(8, spectrum.RankFor(2.9, 8));
    }

    /// <summary>What all keys share, (c, c | d, d), is nothing to a Softmax.</summary>
    [Fact]
    public void What_all_keys_share_counts_nothing()
    {
        float[] x = [5, 5, -2, -2];
        Assert.Equal(0, PositionSpectrum.Of([.. x.SelectMany(i => x.Select(j => i * j))], 2, 2).ErrorOf(0), 9);
    }

    [Fact]
    public void The_error_is_that_of_the_logits()
    {
        const int rows = 3, columns = 5, n = rows + columns, rank = 2;
        var random = new Random(7);
        float[][] terms = [.. Enumerable.Range(0, 40).Select(_ => Enumerable.Range(0, n).Select(i => (float)((random.NextDouble() - 0.5) * (i + 1))).ToArray())];
        var gram = new float[n * n];
        for (int i = 0; i < gram.Length; i++)
            gram[i] = (float)terms.Average(t => (double)t[i / n] * t[i % n]);
        var spectrum = PositionSpectrum.Of(gram, rows, columns);
        (float[,] encoder, float[,] decoder) = spectrum.Basis(rank);

        double error = 0;
        foreach (float[] term in terms)
        {
            double[] code = [.. Enumerable.Range(0, rank).Select(r => Enumerable.Range(0, n).Sum(i => (double)term[i] * encoder[i, r]))];
            double[] left = [.. term.Select((t, i) => t - Enumerable.Range(0, rank).Sum(r => code[r] * decoder[i, r]))];
            double[] logits = [.. Enumerable.Range(0, rows * columns).Select(key => left[key / columns] + left[rows + (key % columns)])];
            double mean = logits.Average();
            error += logits.Average(l => (l - mean) * (l - mean)) / terms.Length;
        }

        Assert.Equal(spectrum.ErrorOf(rank), Math.Sqrt(error), 5);
    }

    [Fact]
    public void Second_moments_of_another_size_are_refused() => Assert.Throws<ArgumentException>(() => PositionSpectrum.Of(new float[9], 2, 2));
}
