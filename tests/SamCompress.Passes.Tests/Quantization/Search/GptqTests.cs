using MathNet.Numerics.LinearAlgebra;
using SamCompress.Passes.Quantization.Search;

namespace SamCompress.Passes.Tests.Quantization.Search;

public sealed class GptqTests
{
    /// <summary>Input 0 loses 0.4, of which input 1 gets 0.8: 0.3 becomes 0.62. The loss falls from 0.442 to 0.202.</summary>
    [Fact]
    public void The_second_of_two_inputs_makes_up_for_the_first() =>
        Assert.Equal([0, 1], Round([1, 0.8f, 0.8f, 1], [0.4f, 0.3f], 1));

    /// <summary>Input 1 has the greater power and goes first: input 0 gets 0.8 / 1 of its 0.4. The other way round it would be 0.8 / 4 of 0.3, and both stay 0.</summary>
    [Fact]
    public void The_input_of_the_greatest_power_goes_first() =>
        Assert.Equal([1, 0], Round([1, 0.8f, 0.8f, 4], [0.3f, 0.4f], 1));

    /// <summary>
    /// With 4 on the diagonal and 2 beside it the inputs want w1 + e0 / 3 and w2 + (e0 + e1) / 2: in the first column 0.4 + 0.15 -> 1, then 0.2 - 0.075 -> 0;
    /// in the second 0.3 + 0.15 -> 0, then 0.3 + 0.375 -> 1. All are 0 to the nearest.
    /// </summary>
    [Fact]
    public void Three_inputs_make_up_one_after_the_other() =>
        Assert.Equal([0, 0, 1, 0, 0, 1], Round([4, 2, 2, 2, 4, 2, 2, 2, 4], [0.45f, 0.45f, 0.4f, 0.3f, 0.2f, 0.3f], 2));

    /// <summary>0.04 + 0.8 * 0.4 is 3.6 steps of 0.1.</summary>
    [Fact]
    public void Every_input_has_the_scale_of_its_block() =>
        Assert.Equal([0, 4], new Gptq([1, 0.8f, 0.8f, 1], 2, 0).Round(new WeightMatrix([0.4f, 0.04f], 2, 1), k => [k == 0 ? 1 : 0.1f], 127));

    /// <summary>What is clipped is an error as well: 9 loses 8, of which input 1 gets 0.1.</summary>
    [Fact]
    public void Codes_stay_within_the_highest_and_clipping_is_made_up_for() =>
        Assert.Equal([1, 1], Round([1, 0.1f, 0.1f, 1], [9, 0], 1, highest: 1));

    [Fact]
    public void Independent_inputs_are_rounded_to_the_nearest()
    {
        const int Inputs = 70, Columns = 9;
        var random = new Random(1);
        var gram = new float[Inputs * Inputs];
        for (int k = 0; k < Inputs; k++)
            gram[(k * Inputs) + k] = random.NextSingle() + 0.1f;
        float[] weight = Uniform(random, Inputs * Columns, 20);
        Assert.Equal(weight.Select(w => (sbyte)MathF.Round(w)), Round(gram, weight, Columns));
    }

    /// <summary>
    /// GPTQ as it was published: the error of an input, divided by the diagonal of the upper Cholesky factor of the inverse of H, is spread over the rest by its
    /// row of that factor. Inputs beyond one block of rows.
    /// </summary>
    [Theory]
    [InlineData(5, 40)]
    [InlineData(64, 7)]
    [InlineData(150, 3)]
    public void Codes_are_those_of_the_formulation_with_the_inverse(int inputs, int columns)
    {
        const double Ridge = 0.05;
        var random = new Random(inputs);
        float[] gram = Gram(random, inputs, 0.5), weight = Uniform(random, inputs * columns, 20);
        int[] order = ByFallingPower(gram, inputs);
        Matrix<double> h = Ordered(gram, order, Ridge), upper = h.Inverse().Cholesky().Factor.Transpose();
        var expected = new sbyte[weight.Length];
        double nearestTie = 1;
        for (int c = 0; c < columns; c++)
        {
            double[] w = [.. order.Select(k => (double)weight[(k * columns) + c])];
            for (int i = 0; i < inputs; i++)
            {
                double code = Math.Clamp(Math.Round(w[i]), -127, 127);
                nearestTie = Math.Min(nearestTie, Math.Abs(Math.Abs(w[i] - Math.Floor(w[i])) - 0.5));
                expected[(order[i] * columns) + c] = (sbyte)code;
                double error = (w[i] - code) / upper[i, i];
                for (int j = i; j < inputs; j++)
                    w[j] -= error * upper[i, j];
            }
        }

        Assert.True(nearestTie > 1e-4, $"a weight lies {nearestTie} beside a tie, where floats may round otherwise: take another seed");
        Assert.Equal(expected, Round(gram, weight, columns, ridge: Ridge));
    }

    /// <summary>
    /// Each input adds L_ii^2 (error of what it wanted)^2, at most L_ii^2 / 4 for scale 1. That holds for every column; that the sum over columns is less
    /// than to the nearest holds on average.
    /// </summary>
    [Theory]
    [InlineData(0.3, 1)]
    [InlineData(2, 1)]
    [InlineData(30, 0.2)]
    public void Loss_is_bounded_and_falls_with_the_correlation(double shared, double atMost)
    {
        const int Inputs = 70, Columns = 64;
        const double Ridge = 0.01;
        var random = new Random(3);
        float[] gram = Gram(random, Inputs, shared), weight = Uniform(random, Inputs * Columns, 20);
        int[] order = ByFallingPower(gram, Inputs);

        // Row n - 1 of L stands for the input that goes first.
        double bound = Ordered(gram, [.. order.Reverse()], Ridge).Cholesky().Factor.Diagonal().Sum(l => l * l) / 4;
        Matrix<double> h = Ordered(gram, [.. Enumerable.Range(0, Inputs)], Ridge);
        sbyte[] codes = Round(gram, weight, Columns, ridge: Ridge);
        double sum = 0, nearest = 0;
        for (int c = 0; c < Columns; c++)
        {
            double loss = Loss(c, i => codes[i]);
            Assert.True(loss <= bound * 1.0001, $"column {c}: {loss} over {bound}");
            sum += loss;
            nearest += Loss(c, i => MathF.Round(weight[i]));
        }

        Assert.True(sum < atMost * nearest, $"{sum} against {nearest}");

        double Loss(int column, Func<int, double> code)
        {
            Vector<double> e = Vector<double>.Build.Dense(Inputs, k => weight[(k * Columns) + column] - code((k * Columns) + column));
            return e * h * e;
        }
    }

    [Theory]
    [InlineData(0.2, 0.2)]
    [InlineData(0.5, 0.2)]
    public void Refit_solves_the_normal_equations(double ridge, double noise)
    {
        const int Inputs = 33, Columns = 130;
        var random = new Random(4);
        float[] gram = Gram(random, Inputs, 1), weight = Uniform(random, Inputs * Columns, 1);
        Matrix<double> w = Matrix<double>.Build.Dense(Inputs, Columns, (k, c) => weight[(k * Columns) + c]);
        int[] order = [.. Enumerable.Range(0, Inputs)];
        Matrix<double> expected = Ordered(gram, order, ridge).Solve(Ordered(gram, order, ridge - noise) * w);

        new Gptq(gram, Inputs, ridge).Refit(new WeightMatrix(weight, Inputs, Columns), noise);
        for (int k = 0; k < Inputs; k++)
        {
            for (int c = 0; c < Columns; c++)
                Assert.Equal(expected[k, c], weight[(k * Columns) + c], 1e-5);
        }
    }

    [Theory]
    [InlineData(1f, 2f)]
    [InlineData(float.NaN, 0f)]
    public void Moments_that_are_not_positive_definite_are_refused(float diagonal, float beside)
    {
        SamCompressException e = Assert.Throws<SamCompressException>(() => new Gptq([diagonal, beside, beside, diagonal], 2, 0));
        Assert.Equal(FailureKind.InputRejected, e.Kind);
        Assert.Contains("not positive definite", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Output channels are worked on 128 at a time.</summary>
    [Fact]
    public void An_output_channel_gets_its_codes_whatever_is_beside_it()
    {
        const int Inputs = 66, Columns = 257;
        var random = new Random(5);
        float[] gram = Gram(random, Inputs, 1), weight = Uniform(random, Inputs * Columns, 20);
        sbyte[] all = Round(gram, weight, Columns, ridge: 0.1);
        foreach (int count in (int[])[1, 127, 128, 129, 256])
        {
            sbyte[] some = Round(gram, First(weight, count), count, ridge: 0.1);
            Assert.Equal(First(all, count), some);
        }

        static T[] First<T>(T[] matrix, int count) => [.. matrix.Chunk(Columns).SelectMany(row => row[..count])];
    }

    private static sbyte[] Round(float[] gram, float[] weight, int columns, int highest = 127, double ridge = 0)
    {
        int inputs = weight.Length / columns;
        float[] scales = [.. Enumerable.Repeat(1f, columns)];
        return new Gptq(gram, inputs, ridge).Round(new WeightMatrix([.. weight], inputs, columns), _ => scales, highest);
    }

    /// <summary>Second moments of random inputs that have some part in common.</summary>
    private static float[] Gram(Random random, int inputs, double shared)
    {
        int samples = 2 * inputs;
        Matrix<double> x = Matrix<double>.Build.Dense(samples, inputs);
        for (int s = 0; s < samples; s++)
        {
            double common = shared * ((2 * random.NextDouble()) - 1);
            for (int k = 0; k < inputs; k++)
                x[s, k] = (0.5 + ((double)k / inputs)) * (common + (2 * random.NextDouble()) - 1);
        }

        return [.. (x.TransposeThisAndMultiply(x) / samples).ToRowMajorArray().Select(v => (float)v)];
    }

    private static float[] Uniform(Random random, int count, float most) => [.. Enumerable.Range(0, count).Select(_ => most * ((2 * random.NextSingle()) - 1))];

    private static int[] ByFallingPower(float[] gram, int inputs) => [.. Enumerable.Range(0, inputs).OrderByDescending(k => gram[(k * inputs) + k])];

    private static Matrix<double> Ordered(float[] gram, int[] order, double ridge) => Matrix<double>.Build.Dense(
        order.Length, order.Length, (a, b) => gram[(order[a] * order.Length) + order[b]] + (a == b ? ridge : 0));
}
