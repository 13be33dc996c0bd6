using SamCompress.Passes.Repair;

namespace SamCompress.Passes.Tests.Repair;

public sealed class RidgeRegressionTests
{
    /// <summary>Numbers near 1 computed in double and rounded to float.</summary>
    private const int Digits = 5;

    [Fact]
    public void Solves_two_inputs_as_by_hand()
    {
        // Cxx = [4 2; 2 2], its mean diagonal 3, Cxy = (8, 6). With lambda = 1/3, rho = 1 and W0 = 0: [5 2; 2 3] W = (8, 6), W = (12, 14) / 11.
        float[][] x = [[1, 1], [-1, -1], [1, 0], [-1, 0]], y = [[10], [4], [8], [6]];
        RegressionSums sums = RegressionRows.Sum(x, y);
        AffineMap map = RidgeRegression.Solve(sums, new AffineMap([0, 0], [0]), 1.0 / 3)!;
        Assert.Equal(12f / 11, map.Weight[0], Digits);
        Assert.Equal(14f / 11, map.Weight[1], Digits);
        Assert.Equal(7, map.Bias[0], Digits);

        // Errors of the rows: 3 - 26/11 twice, 1 - 12/11 twice.
        Assert.Equal(2 * (49 + 1) / 121.0, Assert.Single(RidgeRegression.Errors(sums, map)), Digits);
    }

    [Fact]
    public void Shifts_change_nothing()
    {
        float[][] x = [[11, 21], [9, 19], [11, 20], [9, 20]], y = [[10], [4], [8], [6]];
        RegressionSums sums = RegressionRows.Sum(x, y, [10, 20], [5]);
        AffineMap map = RidgeRegression.Solve(sums, new AffineMap([0, 0], [0]), 1.0 / 3)!;
        Assert.Equal(12f / 11, map.Weight[0], Digits);
        Assert.Equal(14f / 11, map.Weight[1], Digits);
        Assert.Equal(7 - (((10 * 12) + (20 * 14)) / 11f), map.Bias[0], Digits);
        Assert.Equal(2 * (49 + 1) / 121.0, Assert.Single(RidgeRegression.Errors(sums, map)), 1e-4); // the bias of 36 is a float
    }

    [Fact]
    public void Pulls_towards_the_present_weight()
    {
        // Cxx = 2 I, Cxy = [6 2; 2 -2]. With lambda = 1, rho = 2: W = W0 + (Cxy - 2 W0) / 4.
        float[][] x = [[1, 0], [-1, 0], [0, 1], [0, -1]], y = [[8, 1], [2, -1], [6, -1], [4, 1]];
        AffineMap map = RidgeRegression.Solve(RegressionRows.Sum(x, y), new AffineMap([1, 0, 1, 4], [0, 0]), 1)!;
        Assert.Equal([1 + ((6 - 2) / 4f), 0 + ((2 - 0) / 4f), 1 + ((2 - 2) / 4f), 4 + ((-2 - 8) / 4f)], map.Weight);
        Assert.Equal([5, 0], map.Bias);
    }

    [Fact]
    public void Recovers_what_made_the_rows()
    {
        const int Inputs = 8, Rows = 4000;
        const double Noise = 0.1, Lambda = 1e-4;
        var random = new Random(5);
        float[] weight = [.. Enumerable.Range(0, Inputs).Select(_ => (float)Normal())];
        float[][] x = [.. Enumerable.Range(0, Rows).Select(_ => Enumerable.Range(0, Inputs).Select(_ => (float)Normal()).ToArray())];
        float[][] y = [.. x.Select(row => new[] { (float)(row.Zip(weight, (a, b) => (double)a * b).Sum() + 3 + (Noise * Normal())) })];
        AffineMap map = RidgeRegression.Solve(RegressionRows.Sum(x, y), new AffineMap(new float[Inputs], [0]), Lambda)!;

        // Covariances of 8 such inputs lie within 0.15 of the unit matrix (Marchenko-Pastur: (1 - sqrt(8 / 4000))^2 = 0.91). Noise gives each weight a standard
        // deviation of 0.1 / sqrt(0.91 * 4000); six of them, and what lambda takes of weights under 3.
        double bound = (6 * Noise / Math.Sqrt(0.91 * Rows)) + (3 * Lambda * Inputs);
        Assert.All(weight.Zip(map.Weight), p => Assert.InRange(p.Second, p.First - bound, p.First + bound));
        Assert.InRange(map.Bias[0], 3 - bound, 3 + bound);

        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }

    [Fact]
    public void Equal_inputs_share_what_is_missing()
    {
        // Both inputs are the same: W0 = (1, 3) gives 4 x, and 6 x is wanted. C = c [1 1; 1 1] is singular, rho = lambda c: each gets 2 / (2 + lambda).
        const double Lambda = 0.01;
        float[][] x = [[1, 1], [-1, -1], [2, 2], [-2, -2]], y = [[6], [-6], [12], [-12]];
        AffineMap map = RidgeRegression.Solve(RegressionRows.Sum(x, y), new AffineMap([1, 3], [0]), Lambda)!;
        Assert.Equal(1 + (2 / (2 + Lambda)), map.Weight[0], Digits);
        Assert.Equal(3 + (2 / (2 + Lambda)), map.Weight[1], Digits);
    }

    [Fact]
    public void With_fewer_rows_than_inputs_what_was_not_seen_stays()
    {
        // Cxx = diag(2, 0, 0), its mean diagonal 2/3; of y = 2 x a share of 2 / (2 + 2/3 lambda) of the missing 1 is taken.
        const double Lambda = 0.3;
        AffineMap map = RidgeRegression.Solve(RegressionRows.Sum([[1, 0, 0], [-1, 0, 0]], [[2], [-2]]), new AffineMap([1, 5, 7], [0]), Lambda)!;
        Assert.Equal(1 + (2 / (2 + (2 * Lambda / 3))), map.Weight[0], Digits);
        Assert.Equal([5, 7], map.Weight[1..]);
    }

    [Fact]
    public void Where_inputs_do_not_vary_only_the_bias_moves()
    {
        AffineMap map = RidgeRegression.Solve(RegressionRows.Sum([[2, 1], [2, 1]], [[10], [12]]), new AffineMap([1, 3], [0]), 0.1)!;
        Assert.Equal([1, 3], map.Weight);
        Assert.Equal([11 - 5], map.Bias);
    }

    [Fact]
    public void No_rows_and_other_sizes_are_refused()
    {
        var none = new RegressionSums([0, 0], [0]);
        Assert.Throws<ArgumentException>(() => RidgeRegression.Solve(none, new AffineMap([1, 2], [0]), 0.1));
        Assert.Throws<ArgumentException>(() => RidgeRegression.Errors(RegressionRows.Sum([[1, 2]], [[1]]), new AffineMap([1], [0])));
        Assert.Throws<ArgumentOutOfRangeException>(() => RidgeRegression.Solve(RegressionRows.Sum([[1, 2]], [[1]]), new AffineMap([1, 2], [0]), 0));
    }

    [Fact]
    public void Each_output_takes_what_serves_rows_that_were_not_fitted()
    {
        // The first output is 2 x in both sets: the least lambda. The second is 3 x in the fitted rows, and the present 1 x in the others: it stays.
        float[][] x = [[1], [-1]];
        RegressionSums fit = RegressionRows.Sum(x, [[2, 3], [-2, -3]]), heldOut = RegressionRows.Sum(x, [[2, 1], [-2, -1]]);
        RidgeFit chosen = RidgeRegression.Choose(fit, heldOut, new AffineMap([1, 1], [0, 0]), [0.5, 0.25]);
        Assert.Equal([0.25, 0], chosen.Lambdas);

        // Fitted to both sets, W = 1 + 1 / (1 + lambda).
        Assert.Equal(1.8f, chosen.Map.Weight[0], Digits);
        Assert.Equal(1, chosen.Map.Weight[1]);
        Assert.Equal([0, 0], chosen.Map.Bias);

        // Before: 1 of each of the two rows, of a variation of 8 + 2. After: 0.2^2.
        Assert.Equal(2 / 10.0, chosen.ErrorBefore, Digits);
        Assert.Equal(2 * 0.04 / 10, chosen.ErrorAfter, Digits);
    }

    [Fact]
    public void Lambda_grows_when_fitted_rows_mislead()
    {
        // 3 x was fitted and 2 x is right: half the way from 1 x, which lambda = 1 goes, is best.
        float[][] x = [[1], [-1]];
        RidgeFit chosen = RidgeRegression.Choose(RegressionRows.Sum(x, [[3], [-3]]), RegressionRows.Sum(x, [[2], [-2]]), new AffineMap([1], [0]));
        Assert.Equal([1.0], chosen.Lambdas);
        Assert.Equal(0, chosen.ErrorAfter, Digits);
    }
}
