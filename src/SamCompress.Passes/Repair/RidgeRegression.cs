using MathNet.Numerics.LinearAlgebra;

namespace SamCompress.Passes.Repair;

/// <summary>y = x W + b.</summary>
/// <param name="Weight">Row-major [inputs, outputs].</param>
public sealed record AffineMap(float[] Weight, float[] Bias);

/// <summary>What came of a fit. Errors are shares of the variation of the target, on rows that the fit did not see.</summary>
/// <param name="Map">The fit to all rows; an output that no fit serves better is as it was.</param>
/// <param name="Lambdas">Of each output; 0 where it is as it was.</param>
public sealed record RidgeFit(AffineMap Map, IReadOnlyList<double> Lambdas, double ErrorBefore, double ErrorAfter);

/// <summary>
/// Least squares towards the present weight W0: minimizes sum |x W + b - y|^2 + rho |W - W0|^2 with rho = lambda mean(diag Cxx), C the sums centred on the mean.
/// The bias is free: b = mean y - mean x W. So W = W0 + (Cxx + rho I)^-1 (Cxy - Cxx W0); where the rows say nothing, W stays what it is.
/// Outputs do not depend on each other, so each has its own lambda.
/// </summary>
public static class RidgeRegression
{
    /// <summary>A gain below this share of the variation may be the rounding of sums that were made in float.</summary>
    private const double Rounding = 1e-6;

    /// <summary>From a fit that trusts its rows to one that does little more than move the bias.</summary>
    public static IReadOnlyList<double> Lambdas { get; } = [1e-4, 1e-3, 1e-2, 1e-1, 1];

    /// <summary>
    /// Fits to some rows with each lambda, takes for each output the lambda that serves other rows best, and fits to all rows with it. An output that
    /// no fit serves better stays as it is.
    /// </summary>
    /// <param name="heldOut">Of rows that are not in <paramref name="fit"/>, with the same shifts.</param>
    /// <exception cref="ArgumentException">No rows, or shapes that do not fit.</exception>
    public static RidgeFit Choose(RegressionSums fit, RegressionSums heldOut, AffineMap present, IReadOnlyList<double>? lambdas = null)
    {
        ArgumentNullException.ThrowIfNull(heldOut);
        double[] before = Errors(heldOut, present), after = [.. before];
        double[] chosen = new double[before.Length], variation = heldOut.Variation();
        foreach (double lambda in lambdas ?? Lambdas)
        {
            if (Solve(fit, present, lambda) is not { } map)
                continue;
            double[] errors = Errors(heldOut, map);
            for (int n = 0; n < errors.Length; n++)
            {
                if (errors[n] < after[n] && before[n] - errors[n] > Rounding * variation[n])
                    (chosen[n], after[n]) = (lambda, errors[n]);
            }
        }

        var all = new RegressionSums(fit.ShiftX, fit.ShiftY);
        all.Add(fit);
        all.Add(heldOut);
        var result = new AffineMap([.. present.Weight], [.. present.Bias]);
        foreach (double lambda in chosen.Distinct().Where(l => l > 0))
        {
            AffineMap map = Solve(all, present, lambda) ?? throw new InvariantException("rows that could be fitted in part cannot be fitted in whole");
            for (int n = 0; n < chosen.Length; n++)
            {
                if (chosen[n] == lambda)
                    CopyOutput(map, result, n);
            }
        }

        double total = variation.Sum();
        return new RidgeFit(result, chosen, Share(before), Share(after));

        double Share(double[] errors) => errors.Sum() is var sum && sum > 0 ? sum / total : 0;
    }

    /// <summary>The fit to some rows with one lambda.</summary>
    /// <returns>Null when lambda is too small for what rounding did to the sums.</returns>
    public static AffineMap? Solve(RegressionSums sums, AffineMap present, double lambda)
    {
        ArgumentNullException.ThrowIfNull(sums);
        Check(sums, present);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lambda);
        int inputs = sums.Inputs, outputs = sums.Outputs;
        Matrix<double> w0 = Matrix(present.Weight, inputs, outputs);
        Vector<double> meanX = Vector(sums.X) / sums.Rows, meanY = Vector(sums.Y) / sums.Rows;
        Matrix<double> covariance = Matrix(sums.Xx, inputs, inputs) - (sums.Rows * meanX.OuterProduct(meanX));
        double rho = lambda * covariance.Trace() / inputs;
        Matrix<double> weight = w0;
        if (rho > 0)
        {
            Matrix<double> missing = Matrix(sums.Xy, inputs, outputs) - (sums.Rows * meanX.OuterProduct(meanY)) - (covariance * w0);
            for (int i = 0; i < inputs; i++)
                covariance[i, i] += rho;
            try
            {
                weight = w0 + covariance.Cholesky().Solve(missing);
            }
            catch (ArgumentException)
            {
                return null;
            }
        }

        Vector<double> bias = meanY - (meanX * weight) + Vector(sums.ShiftY) - (Vector(sums.ShiftX) * weight);
        return new AffineMap(Array.ConvertAll(weight.ToRowMajorArray(), w => (float)w), [.. bias.Select(b => (float)b)]);
    }

    /// <summary>sum (x W + b - y)^2 of each output over the rows of the sums. No model runs for it.</summary>
    public static double[] Errors(RegressionSums sums, AffineMap map)
    {
        ArgumentNullException.ThrowIfNull(sums);
        Check(sums, map);
        Matrix<double> weight = Matrix(map.Weight, sums.Inputs, sums.Outputs);
        Vector<double> constant = Vector(map.Bias) - Vector(sums.ShiftY) + (Vector(sums.ShiftX) * weight);
        Matrix<double> half = (Matrix(sums.Xx, sums.Inputs, sums.Inputs) * weight) - (2 * Matrix(sums.Xy, sums.Inputs, sums.Outputs));
        Vector<double> errors = Vector(sums.Yy) + half.PointwiseMultiply(weight).ColumnSums() + (sums.Rows * constant.PointwiseMultiply(constant))
            + (2 * constant.PointwiseMultiply((Vector(sums.X) * weight) - Vector(sums.Y)));
        return [.. errors.Select(e => Math.Max(0, e))];
    }

    private static void CopyOutput(AffineMap from, AffineMap to, int output)
    {
        to.Bias[output] = from.Bias[output];
        for (int i = output; i < to.Weight.Length; i += to.Bias.Length)
            to.Weight[i] = from.Weight[i];
    }

    private static void Check(RegressionSums sums, AffineMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        if (sums.Rows == 0)
            throw new ArgumentException("there are no rows to fit to", nameof(sums));
        if (map.Weight.Length != sums.Inputs * sums.Outputs || map.Bias.Length != sums.Outputs)
            throw new ArgumentException("the weight does not fit the rows", nameof(map));
    }

    private static Matrix<double> Matrix(ReadOnlySpan<double> rowMajor, int rows, int columns) =>
        Matrix<double>.Build.Dense(columns, rows, rowMajor.ToArray()).Transpose();

    private static Matrix<double> Matrix(float[] rowMajor, int rows, int columns) => Matrix(Array.ConvertAll(rowMajor, v => (double)v), rows, columns);

    private static Vector<double> Vector(ReadOnlySpan<double> elements) => Vector<double>.Build.Dense(elements.ToArray());

    private static Vector<double> Vector(float[] elements) => Vector(Array.ConvertAll(elements, v => (double)v));
}
