using SamCompress.IR;
using SamCompress.Passes.Quantization;
using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Equalization;

/// <summary>
/// How the elements of a layer's weight belong to input and output channels: element (a, b, i) of [first, second, inner].
/// Linear [K,N] or [N,K], Conv [M, C/groups, kernel], ConvTranspose [C, M/groups, kernel].
/// </summary>
internal readonly record struct WeightGeometry(int First, int Second, int Inner, bool InputsFirst, int Groups)
{
    public static WeightGeometry Of(QuantizableLayer layer)
    {
        Tensor weight = layer.Weight;
        bool inputsFirst = layer.Kind switch { LayerKind.Linear => layer.WeightAxis == 1, LayerKind.ConvTranspose => true, _ => false };
        int first = (int)weight.Dimensions[0], second = (int)weight.Dimensions[1];
        return new WeightGeometry(first, second, checked((int)(weight.Count / first / second)), inputsFirst, layer.Groups);
    }

    public int InputOf(int a, int b) => InputsFirst ? a : (a / (First / Groups) * Second) + b;

    public int OutputOf(int a, int b) => InputsFirst ? (a / (First / Groups) * Second) + b : a;
}

/// <summary>What the error estimates ask of a weight, with its input channels in the order of the equalized ones.</summary>
internal sealed class WeightProfile
{
    private readonly float[] _magnitudes;
    private readonly int _outputs;
    private readonly int _groups;
    private readonly int[] _groupOf;

    private WeightProfile(float[] magnitudes, double[] squares, int outputs, int inner, int groups, int[] groupOf)
    {
        _magnitudes = magnitudes;
        _outputs = outputs;
        _groups = groups;
        _groupOf = groupOf;
        Squares = squares;
        Inner = inner;
    }

    /// <summary>For each input channel the sum of the squares of its weights.</summary>
    public IReadOnlyList<double> Squares { get; }

    /// <summary>How many weights of an output meet one input channel.</summary>
    public int Inner { get; }

    /// <param name="inputs">Which input channel of the layer each equalized channel is.</param>
    public static WeightProfile Of(QuantizableLayer layer, IReadOnlyList<int> inputs)
    {
        var geometry = WeightGeometry.Of(layer);
        var place = new int[layer.InputChannels];
        for (int c = 0; c < place.Length; c++)
            place[inputs[c]] = c;
        int outputs = layer.OutputChannels;
        var magnitudes = new float[checked(place.Length * outputs)];
        var squares = new double[place.Length];
        using TensorLease lease = LayerEdit.WeightOf(layer).Open();
        ReadOnlySpan<float> weight = lease.As<float>();
        for (int a = 0, i = 0; a < geometry.First; a++)
        {
            for (int b = 0; b < geometry.Second; b++, i += geometry.Inner)
            {
                ReadOnlySpan<float> block = weight.Slice(i, geometry.Inner);
                int input = place[geometry.InputOf(a, b)];
                magnitudes[(input * outputs) + geometry.OutputOf(a, b)] = geometry.Inner == 1 ? Math.Abs(block[0]) : Math.Abs(Tp.MaxMagnitude(block));
                squares[input] += geometry.Inner == 1 ? (double)block[0] * block[0] : Tp.SumOfSquares(block);
            }
        }

        int[] groupOf = [.. inputs.Select(input => input / (layer.InputChannels / layer.Groups))];
        return new WeightProfile(magnitudes, squares, outputs, geometry.Inner, layer.Groups, groupOf);
    }

    /// <summary>The largest magnitude of each input channel.</summary>
    public float[] InputMagnitudes()
    {
        var result = new float[Squares.Count];
        for (int c = 0; c < result.Length; c++)
            result[c] = Tp.Max(_magnitudes.AsSpan(c * _outputs, _outputs));
        return result;
    }

    /// <summary>
    /// The sum over outputs of (largest weight)^2 times what the input channels of the output hold, when channel c is multiplied by <paramref name="factors"/>[c].
    /// </summary>
    public double SquaredScales(ReadOnlySpan<float> factors, IReadOnlyList<double> energies)
    {
        var largest = new float[_outputs];
        var product = new float[_outputs];
        var perGroup = new double[_groups];
        for (int c = 0; c < factors.Length; c++)
        {
            perGroup[_groupOf[c]] += energies[c];
            Tp.Multiply(_magnitudes.AsSpan(c * _outputs, _outputs), factors[c], product);
            Tp.Max(largest, product, largest);
        }

        double sum = 0;
        for (int n = 0; n < largest.Length; n++)
            sum += (double)largest[n] * largest[n] * perGroup[n / (_outputs / _groups)];
        return sum * Inner;
    }
}
