namespace SamCompress.Testing.Reference;

/// <summary>Normalizations.</summary>
internal static class NormalizationReference
{
    /// <summary>The normalized value, the means, and the reciprocal deviations.</summary>
    public static IReadOnlyList<ReferenceTensor> LayerNormalization(ReferenceCall call)
    {
        ReferenceTensor x = call[0];
        int axis = call.Axis("axis", -1, x.Rank), count = ReferenceTensor.CountOf(x.Shape[axis..]), rows = x.Data.Length / count;
        double epsilon = call.Node.GetFloat("epsilon", 1e-5f);
        double[] data = new double[x.Data.Length], means = new double[rows], factors = new double[rows];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<double> elements = x.Data.AsSpan(row * count, count);
            double sum = 0, squares = 0;
            foreach (double element in elements)
                sum += element;
            means[row] = sum / count;
            foreach (double element in elements)
                squares += (element - means[row]) * (element - means[row]);
            factors[row] = 1 / Math.Sqrt((squares / count) + epsilon);
            for (int i = 0; i < count; i++)
                data[(row * count) + i] = (elements[i] - means[row]) * factors[row];
        }

        int[] shape = [.. x.Shape[..axis], .. Enumerable.Repeat(1, x.Rank - axis)];
        ReferenceTensor y = ElementwiseReference.Zip(x with { Data = data }, call[1], x.Type, (a, s) => a * s);
        return [call.Optional(2) is { } bias ? ElementwiseReference.Zip(y, bias, x.Type, (a, b) => a + b) : y, new ReferenceTensor(x.Type, shape, means), new ReferenceTensor(x.Type, shape, factors)];
    }

    public static ReferenceTensor BatchNormalization(ReferenceCall call)
    {
        if (call.Node.GetInt("training_mode", 0) != 0)
            throw call.Unsupported("training");
        double epsilon = call.Node.GetFloat("epsilon", 1e-5f);
        int channels = call[0].Shape[1], inner = ReferenceTensor.CountOf(call[0].Shape[2..]);
        double[] data = new double[call[0].Data.Length];
        for (int i = 0; i < data.Length; i++)
        {
            int c = i / inner % channels;
            data[i] = ((call[0].Data[i] - call[3].Data[c]) / Math.Sqrt(call[4].Data[c] + epsilon) * call[1].Data[c]) + call[2].Data[c];
        }

        return call[0] with { Data = data };
    }
}
