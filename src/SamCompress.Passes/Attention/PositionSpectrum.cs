using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace SamCompress.Passes.Attention;

/// <summary>
/// The principal directions of relative position terms. A term x = [rows | columns] of a query adds x[y'] + x[rows + x'] to the logit of a key at (y', x'). What all
/// keys share is nothing to a Softmax, so both parts are centred. The mean square over the keys of what is left out of a logit is then |D x|^2, D = 1 / sqrt(rows) for
/// the first part and 1 / sqrt(columns) for the second, and the eigenvectors of D P E[x x^T] P D leave out the least of it, by Eckart and Young.
/// </summary>
public sealed class PositionSpectrum
{
    private readonly Matrix<double> _vectors;
    private readonly double[] _weights;
    private readonly int _rows;

    private PositionSpectrum(double[] values, Matrix<double> vectors, double[] weights, int rows)
    {
        Variances = values;
        _vectors = vectors;
        _weights = weights;
        _rows = rows;
    }

    /// <summary>The mean square that each direction adds to a logit, the largest first.</summary>
    public IReadOnlyList<double> Variances { get; }

    /// <param name="gram">[rows + columns, rows + columns], E[x x^T].</param>
    public static PositionSpectrum Of(ReadOnlySpan<float> gram, int rows, int columns)
    {
        int n = rows + columns;
        if (gram.Length != n * n)
            throw new ArgumentException($"{gram.Length} second moments for {n} columns", nameof(gram));
        double[] weights = [.. Enumerable.Range(0, n).Select(i => 1 / Math.Sqrt(i < rows ? rows : columns))];
        float[] moments = gram.ToArray();
        Matrix<double> centred = Centring(rows, columns);
        Matrix<double> covariance = centred * Matrix<double>.Build.Dense(n, n, (i, j) => ((double)moments[(i * n) + j] + moments[(j * n) + i]) / 2) * centred;
        covariance = Matrix<double>.Build.Dense(n, n, (i, j) => covariance[i, j] * weights[i] * weights[j]);
        Evd<double> decomposition = covariance.Evd(Symmetricity.Symmetric);
        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => decomposition.EigenValues[i].Real)];
        Matrix<double> vectors = Matrix<double>.Build.DenseOfColumnVectors(order.Select(i => Signed(decomposition.EigenVectors.Column(i))));
        return new PositionSpectrum([.. order.Select(i => Math.Max(0, decomposition.EigenValues[i].Real))], vectors, weights, rows);
    }

    /// <summary>The root mean square error of a logit with the first <paramref name="rank"/> directions.</summary>
    public double ErrorOf(int rank) => Math.Sqrt(Variances.Skip(rank).Sum());

    /// <summary>The smallest rank whose error is at most <paramref name="error"/>, rounded up to a multiple of <paramref name="step"/>.</summary>
    public int RankFor(double error, int step)
    {
        int rank = 0;
        while (rank < Variances.Count && ErrorOf(rank) > error)
            rank++;
        return Math.Max(1, (rank + step - 1) / step) * step;
    }

    /// <summary>
    /// encoder [columns, rank] and decoder [columns, rank]: x, centred, is about decoder.encoder^T.x.
    /// </summary>
    public (float[,] Encoder, float[,] Decoder) Basis(int rank)
    {
        int n = _weights.Length;
        var encoder = new float[n, rank];
        var decoder = new float[n, rank];
        for (int r = 0; r < rank; r++)
        {
            for (int i = 0; i < n; i++)
            {
                encoder[i, r] = (float)(_vectors[i, r] * _weights[i]);
                decoder[i, r] = (float)(_vectors[i, r] / _weights[i]);
            }

            Centre(encoder, r, 0, _rows);
            Centre(encoder, r, _rows, n);
        }

        return (encoder, decoder);
    }

    private static void Centre(float[,] matrix, int column, int from, int to)
    {
        double mean = 0;
        for (int i = from; i < to; i++)
            mean += matrix[i, column] / (to - from);
        for (int i = from; i < to; i++)
            matrix[i, column] = (float)(matrix[i, column] - mean);
    }

    /// <summary>The projection that takes the mean away from each part.</summary>
    private static Matrix<double> Centring(int rows, int columns) => Matrix<double>.Build.Dense(
        rows + columns, rows + columns, (i, j) => (i == j ? 1 : 0) - (i < rows == j < rows ? 1.0 / (i < rows ? rows : columns) : 0));

    /// <summary>An eigenvector has no sign of its own: its largest component is made positive.</summary>
    private static Vector<double> Signed(Vector<double> vector) => vector[vector.AbsoluteMaximumIndex()] < 0 ? -vector : vector;
}
