using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;

namespace SamCompress.Passes.Tests.Quantization.Search;

public sealed class ActivationSearchTests
{
    /// <summary>Four positions; the second channel has one value far outside.</summary>
    private static readonly float[] Rows = [0, 0, 1, 0, 2, 30, 3, 0];

    private static readonly ValueRange Seen = new(0, 30);

    [Fact]
    public void Constants_are_those_of_the_paper() => Assert.Equal((100, 0.01, 1.2), (ActivationSearch.Candidates, ActivationSearch.Least, ActivationSearch.Greatest));

    /// <summary>Codes 0 to 3. For the first channel a scale of 1 is best, 0.1 of what was seen: candidate 7 is 0.0941 with an error of 0.048, candidate 8 has 0.053.</summary>
    [Fact]
    public void A_value_far_outside_is_clipped_where_it_does_not_matter()
    {
        QuantizationGrid grid = Find([1, 0]);
        Assert.Equal(30 * Candidate(7), grid.Max, 1e-5);
        Assert.Equal((0, 0, 3), (grid.ZeroPoint, grid.Lowest, grid.Highest));
    }

    /// <summary>No candidate is 1, but what was seen is where the search starts, and nothing is better.</summary>
    [Fact]
    public void A_value_far_outside_is_kept_where_it_matters() => Assert.Equal(30, Find([0, 1]).Max);

    /// <summary>A scale of 1 is 0.25 of the largest magnitude, candidate 19.97.</summary>
    [Fact]
    public void Symmetric_grid_keeps_its_zero_in_the_middle()
    {
        QuantizationGrid grid = new ActivationSearch([1, -1, 1, -1], [1], SearchMetric.Mse).Find(new ValueRange(-4, 2), symmetric: true, -1, 1)[0];
        Assert.Equal((0, -1, 1), (grid.ZeroPoint, grid.Lowest, grid.Highest));
        Assert.Equal(4 * Candidate(20), grid.Scale, 1e-5);
    }

    [Fact]
    public void Both_ends_are_searched()
    {
        // -1, 0, 1, 2 with four codes want a scale of 1 and a zero point of 1: half of what was seen at both ends, candidate 40.8.
        float[] rows = [.. Enumerable.Range(0, 64).Select(i => (float)((i % 4) - 1))];
        var search = new ActivationSearch(rows, [1], SearchMetric.Mse);
        QuantizationGrid grid = search.Find(new ValueRange(-2, 4), symmetric: false, 0, 3)[0];
        Assert.Equal(1, grid.ZeroPoint);
        Assert.InRange(grid.Scale, 0.98, 1.02);
        Assert.Equal(0, search.Loss(new QuantizationGrid(1, 1, 0, 3)));
    }

    /// <summary>Five steps of candidates are 0.06: the next is candidate 12, a scale of 1.54 with an error of 0.51.</summary>
    [Fact]
    public void Runners_up_are_apart_and_in_order()
    {
        var search = new ActivationSearch(Rows, [1, 0], SearchMetric.Mse);
        IReadOnlyList<QuantizationGrid> grids = search.Find(Seen, symmetric: false, 0, 3, count: 4);
        Assert.Equal(4, grids.Count);
        Assert.Equal(30 * Candidate(7), grids[0].Max, 1e-5);
        Assert.Equal(30 * Candidate(12), grids[1].Max, 1e-5);
        for (int i = 0; i < grids.Count; i++)
        {
            for (int j = 0; j < i; j++)
                Assert.True(Math.Abs(grids[i].Max - grids[j].Max) >= (ActivationSearch.Apart * 30) - 1e-4);
            Assert.True(i == 0 || search.Loss(grids[i]) >= search.Loss(grids[i - 1]));
        }
    }

    /// <summary>1 and 0.2 become 0.6 and 0.3: errors 0.4 and 0.1; with a weight of 4 on the second the product is 0.84 and the power 0.72.</summary>
    [Fact]
    public void Losses_are_those_of_their_definitions()
    {
        var grid = new QuantizationGrid(0.3f, 0, -2, 2);
        Assert.Equal(0.17, Loss(SearchMetric.Mse, 1), 1e-6);
        Assert.Equal(0.20, Loss(SearchMetric.Mse, 4), 1e-6);
        Assert.Equal(-0.66 / Math.Sqrt(0.45), Loss(SearchMetric.Cosine, 1), 1e-6);
        Assert.Equal(-0.84 / Math.Sqrt(0.72), Loss(SearchMetric.Cosine, 4), 1e-6);

        double Loss(SearchMetric metric, float weight) => new ActivationSearch([1, 0.2f], [1, weight], metric).Loss(grid);
    }

    [Fact]
    public void Cosine_finds_no_worse_grid_than_any_candidate()
    {
        var random = new Random(2);
        float[] rows = [.. Enumerable.Range(0, 96).Select(i => random.NextSingle() * (i % 7 == 0 ? 9 : 1))];
        var search = new ActivationSearch(rows, [1, 2, 3], SearchMetric.Cosine);
        double best = search.Loss(search.Find(new ValueRange(0, 9), symmetric: false, 0, 15)[0]);
        for (int i = 0; i < 100; i++)
            Assert.True(best <= search.Loss(QuantizationGrid.Affine(0, (float)(9 * Candidate(i)), 0, 15)) + 1e-7);
    }

    [Fact]
    public void Rows_longer_than_a_vector_equal_a_loop()
    {
        const int Channels = 37;
        var random = new Random(3);
        float[] rows = [.. Enumerable.Range(0, 5 * Channels).Select(_ => (4 * random.NextSingle()) - 1)];
        float[] importance = [.. Enumerable.Range(0, Channels).Select(_ => random.NextSingle())];
        var grid = QuantizationGrid.Affine(-0.5f, 2.3f, 0, 63);
        double expected = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            double code = Math.Clamp(Math.Round((double)rows[i] / grid.Scale) + grid.ZeroPoint, 0, 63);
            expected += importance[i % Channels] * Math.Pow(rows[i] - ((code - grid.ZeroPoint) * grid.Scale), 2);
        }

        Assert.Equal(expected, new ActivationSearch(rows, importance, SearchMetric.Mse).Loss(grid), 1e-5 * expected);
    }

    private static QuantizationGrid Find(float[] importance) => new ActivationSearch(Rows, importance, SearchMetric.Mse).Find(Seen, symmetric: false, 0, 3)[0];

    private static double Candidate(int i) => 0.01 + (1.19 * i / 99);
}
