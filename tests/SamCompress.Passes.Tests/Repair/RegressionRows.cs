using SamCompress.Passes.Repair;

namespace SamCompress.Passes.Tests.Repair;

/// <summary>Sums up rows the plain way.</summary>
internal static class RegressionRows
{
    /// <param name="shiftX">Zeros when null.</param>
    public static RegressionSums Sum(float[][] x, float[][] y, float[]? shiftX = null, float[]? shiftY = null)
    {
        (int inputs, int outputs) = (x[0].Length, y[0].Length);
        var sums = new RegressionSums(shiftX ?? new float[inputs], shiftY ?? new float[outputs]);
        foreach ((float[] rowX, float[] rowY) in x.Zip(y))
        {
            float[] a = [.. rowX.Zip(sums.ShiftX, (v, s) => v - s)], b = [.. rowY.Zip(sums.ShiftY, (v, s) => v - s)];
            sums.Add([.. a.SelectMany(p => a.Select(q => p * q))], [.. a.SelectMany(p => b.Select(q => p * q))], a, b, [.. b.Select(v => v * v)], 1);
        }

        return sums;
    }
}
