using SamCompress.Passes.Quantization.Search;

namespace SamCompress.Passes.Tests.Quantization.Search;

/// <summary>Candidate i is 0.01 + 1.19 i / 99 times the largest weight over the highest code. Most tests have the codes -1, 0 and 1.</summary>
public sealed class WeightSearchTests
{
    private static readonly float[] Ones = [1, 1, 1, 1];

    private static float[] Identity => [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

    /// <summary>(1 - s)^2 + 3 (0.5 - s)^2 is least at 0.625, candidate 51.2; with nine times the power of the first input at 0.875, candidate 71.96.</summary>
    [Theory]
    [InlineData(1, 51)]
    [InlineData(9, 72)]
    public void Scale_has_the_least_squared_error_weighted_by_the_power_of_the_inputs(float power, int candidate)
    {
        float[] scales = Search([1, 0.5f, 0.5f, 0.5f], 1).Find([power, 1, 1, 1], []);
        Assert.Equal(Candidate(candidate), Assert.Single(scales), 1e-6);
    }

    [Fact]
    public void Each_channel_keeps_its_own_best()
    {
        // Columns 1, 0.5, 0.5, 0.5, then four ones (candidate 82 is 0.9957, 83 is 1.0077), then ten times the first.
        float[] scales = Search([1, 1, 10, 0.5f, 1, 5, 0.5f, 1, 5, 0.5f, 1, 5], 3).Find(Ones, []);
        Assert.Equal(Candidate(51), scales[0], 1e-6);
        Assert.Equal(Candidate(82), scales[1], 1e-6);
        Assert.Equal(10 * Candidate(51), scales[2], 1e-5);
    }

    /// <summary>
    /// The nearest candidate to 1 is 0.99566: with it a weight on the grid comes back short by 0.434 % at most, and the best is no worse; see algorithms.md,
    /// 6.6. With 6 bits that is far less than half a step, so that no other scale comes near.
    /// </summary>
    [Theory]
    [InlineData(127, 0.98, 1.02)]
    [InlineData(31, 0.995, 0.996)]
    public void Weights_on_a_grid_are_reproduced_up_to_the_spacing_of_the_candidates(int highest, double least, double most)
    {
        var random = new Random(1);
        const float Step = 0.03f;
        float[] weight = [highest * Step, .. Enumerable.Range(0, 63).Select(_ => random.Next(-highest, highest + 1) * Step)];
        float[] power = [.. Enumerable.Repeat(1f, 64)];
        float scale = Assert.Single(new WeightSearch(new WeightMatrix(weight, 64, 1), highest, SearchMetric.Mse).Find(power, []));
        double error = weight.Sum(w => Math.Pow(w - (scale * Math.Clamp(Math.Round(w / scale), -highest, highest)), 2));
        Assert.InRange(scale / Step, least, most);
        Assert.True(error <= Math.Pow(1 - 0.99565, 2) * weight.Sum(w => (double)w * w));
    }

    /// <summary>
    /// Inputs 0 and 1 with a moment of 0.5 add (1 - s)(0.5 - s): the least is at 0.65, candidate 53.2. With -0.5 it is at 0.583, candidate 47.7; of the five
    /// best by the diagonal, 49 to 53, the first one comes nearest.
    /// </summary>
    [Theory]
    [InlineData(0, 51)]
    [InlineData(0.5f, 53)]
    [InlineData(-0.5f, 49)]
    public void Second_moments_decide_between_the_best_by_the_diagonal(float moment, int candidate)
    {
        float[] gram = Identity;
        gram[1] = gram[4] = moment;
        Assert.Equal(Candidate(candidate), Assert.Single(Search([1, 0.5f, 0.5f, 0.5f], 1).Find(Ones, gram)), 1e-6);
    }

    [Fact]
    public void Blocks_of_inputs_have_their_own_scales_and_the_last_may_be_shorter()
    {
        // Blocks of 1, 1 | 10, 10 | 3 and, in the other channel, 20, 20 | 0, 0 | -4.
        float[] weight = [1, 20, 1, 20, 10, 0, 10, 0, 3, -4];
        var search = new WeightSearch(new WeightMatrix(weight, 5, 2), 1, SearchMetric.Mse);
        double f = Candidate(82);
        float[] power = [1, 1, 1, 1, 1];
        float[] gram = new float[25];
        for (int k = 0; k < 5; k++)
            gram[k * 6] = 1;
        gram[(0 * 5) + 2] = gram[(2 * 5) + 0] = 100;
        foreach (float[] found in (float[][])[search.FindBlocks(power, [], 2), search.FindBlocks(power, gram, 2)])
            Assert.Equal([f, 10 * f, 3 * f, 20 * f, 1, 4 * f], found.Select(s => Math.Round((double)s, 5)), (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.Equal([1, 10, 3, 20, 1, 4], search.LargestOfBlocks(2));
        Assert.Equal([10, 20], search.Largest());
    }

    [Fact]
    public void A_block_is_judged_by_its_part_of_the_second_moments()
    {
        var gram = new float[25];
        for (int k = 0; k < 5; k++)
            gram[k * 6] = 1;
        gram[1] = gram[5] = 0.5f;
        float[] scales = new WeightSearch(new WeightMatrix([1, 0.5f, 0.5f, 0.5f, 3], 5, 1), 1, SearchMetric.Mse).FindBlocks([1, 1, 1, 1, 1], gram, 4);
        Assert.Equal(Candidate(53), scales[0], 1e-6);
        Assert.Equal(3 * Candidate(82), scales[1], 1e-5);
    }

    /// <summary>Under 1 all codes are 1 and the cosine is 2.5 / (2 sqrt 1.75) = 0.945; from 1 on the halves become 0 and it is 0.756.</summary>
    [Fact]
    public void Cosine_does_not_see_the_length() =>
        Assert.InRange(Assert.Single(new WeightSearch(new WeightMatrix([1, 0.5f, 0.5f, 0.5f], 4, 1), 1, SearchMetric.Cosine).Find(Ones, [])), 0, 1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_channel_of_zeros_has_a_scale_of_one(bool hasMoments)
    {
        float[] scales = Search([1, 0, 1, 0, 1, 0, 1, 0], 2).Find(Ones, hasMoments ? Identity : []);
        Assert.Equal(Candidate(82), scales[0], 1e-6);
        Assert.Equal(1, scales[1]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Weights_whose_squares_are_beyond_a_float_have_a_usable_scale(bool hasMoments)
    {
        float scale = Assert.Single(Search([1e30f, 3e29f, 0, 0], 1).Find(Ones, hasMoments ? Identity : []));
        Assert.True(float.IsNormal(scale) && scale > 0, $"scale {scale}");
    }

    private static WeightSearch Search(float[] weight, int columns) => new(new WeightMatrix(weight, weight.Length / columns, columns), 1, SearchMetric.Mse);

    private static double Candidate(int i) => 0.01 + (1.19 * i / 99);
}
