using MathNet.Numerics.LinearAlgebra;

namespace SamCompress.Passes.Repair;

/// <summary>y = x W + b.</summary>
/// <param name="Weight">Row-major [inputs, outputs].</param>
public sealed record AffineMap(float[] Weight, float[] Bias);

/// <summary>What came of a fit. Errors are shares of the variation of the target, on rows that the fit did not see.</summary>
/// <param name="Map">The fit to all rows; the present map when it is not worth while.</param>
public sealed record RidgeFit(AffineMap Map, double Lambda, double ErrorBefore, double ErrorAfter)
{
    public bool IsBetter => ErrorAfter < ErrorBefore;
}

/// <summary>
/// Least squares towards the present weight W0: minimizes sum |x W + b - y|^2 + rho |W - W0|^2 with rho = lambda mean(diag Cxx), C the sums centred on the mean.
/// The bias is free: b = mean y - mean x W. So W = W0 + (Cxx + rho I)^-1 (Cxy - Cxx W0); where the rows say nothing, W stays what it is.
/// </summary>
public static class RidgeRegression
{
    /// <summary>From a fit that trusts its rows to one that does little more than move the bias.</summary>
    public static IReadOnlyList<double> Lambdas { get; } = [1e-4, 1e-3, 1e-2, 1e-1, 1];

    /// <summary>Fits to some rows with each lambda, takes the lambda that serves other rows best, and fits to all rows with it.</summary>
    /// <param name="heldOut">Of rows that are not in <paramref name="fit"/>, with the same shifts.</param>
    /// <exception cref="ArgumentException">No rows, or shapes that do not fit.</exception>
    public static RidgeFit Choose(RegressionSums fit, RegressionSums heldOut, AffineMap present, IReadOnlyList<double>? lambdas = null)
    {
        ArgumentNullException.ThrowIfNull(heldOut);
        double before = Error(heldOut, present);
        (double lambda, double error) = (0, before);
        foreach (double candidate in lambdas ?? Lambdas)
        {
            if (Solve(fit, present, candidate) is { } map && Error(heldOut, map) is var e && e < error)
                (lambda, error) = (candidate, e);
        }

        if (lambda == 0)
            return new RidgeFit(present, lambda, before, before);
        var all = new RegressionSums(fit.ShiftX, fit.ShiftY);
        all.Add(fit);
        all.Add(heldOut);
        return new RidgeFit(Solve(all, present, lambda) ?? throw new InvariantException("rows that could be fitted in part cannot be fitted in whole"), lambda, before, error);
    }

    /// <returns>Null when the sums are, up to rounding, those of no rows: lambda is too small.</returns>
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

    /// <summary>sum |x W + b - y|^2 over the rows of the sums, as a share of sum |y - mean y|^2. No model runs for it.</summary>
    /// <returns>Infinite when y does not vary and is not met.</returns>
    public static double Error(RegressionSums sums, AffineMap map)
    {
        ArgumentNullException.ThrowIfNull(sums);
        Check(sums, map);
        Matrix<double> weight = Matrix(map.Weight, sums.Inputs, sums.Outputs);
        Vector<double> constant = Vector(map.Bias) - Vector(sums.ShiftY) + (Vector(sums.ShiftX) * weight);
        Matrix<double> half = (Matrix(sums.Xx, sums.Inputs, sums.Inputs) * weight) - (2 * Matrix(sums.Xy, sums.Inputs, sums.Outputs));
        double error = sums.Yy + half.PointwiseMultiply(weight).ColumnSums().Sum() + (sums.Rows * constant.DotProduct(constant))
            + (2 * constant.DotProduct((Vector(sums.X) * weight) - Vector(sums.Y)));
        return error <= 0 ? 0 : error / sums.Variation;
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
