using System.Runtime.InteropServices;
using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>BatchNormalization(Conv(x, w, b)) => Conv(x, w', b') with w' = w * scale / sqrt(variance + epsilon), one factor for each output channel.</summary>
/// <remarks>
/// Exact up to rounding: the factors are computed in double and rounded once. Guards: all operands constant floats; only the first output used; not in training mode.
/// The new weight is computed when it is read, so that no copy of it stays in memory.
/// </remarks>
public sealed class FoldBatchNormalization : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly ValuePattern _weight = Any();
    private readonly ValuePattern _scale = Any();
    private readonly ValuePattern _shift = Any();
    private readonly ValuePattern _mean = Any();
    private readonly ValuePattern _variance = Any();
    private readonly NodePattern _conv;
    private readonly NodePattern _normalization;

    public FoldBatchNormalization()
    {
        _conv = Op("Conv", _x, _weight).MoreInputs();
        _normalization = Op("BatchNormalization", _conv, _scale, _shift, _mean, _variance);
    }

    protected override ValuePattern Pattern => _normalization;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Node normalization = match.Node(_normalization);
        Node conv = match.Node(_conv);
        if (normalization.GetInt("training_mode", 0) != 0 || normalization.Outputs.Skip(1).Any(o => o is { IsUsed: true }))
            return match.Reject("is in training mode");
        Value?[] operands = [match[_weight], match[_scale], match[_shift], match[_mean], match[_variance], .. conv.Input(2) is { } b ? [b] : Array.Empty<Value>()];
        if (operands.Any(o => o!.Constant is not { ElementType: ElementType.Float }))
            return match.Reject("an operand is no constant of type float");
        Tensor weight = match[_weight].Constant!;
        int channels = (int)weight.Dimensions[0];
        if (operands.Skip(1).Any(o => o!.Constant!.Count != channels))
            return match.Reject("the operands do not have one element for each channel");

        double[] factors = Factors(match[_scale].Constant!, match[_variance].Constant!, normalization.GetFloat("epsilon", 1e-5f));
        float[] mean = match[_mean].Constant!.ToArray<float>();
        float[] bias = conv.Input(2)?.Constant!.ToArray<float>() ?? new float[channels];
        float[] shift = match[_shift].Constant!.ToArray<float>();
        for (int c = 0; c < channels; c++)
            bias[c] = (float)(((bias[c] - (double)mean[c]) * factors[c]) + shift[c]);
        Value scaled = graph.Constant(Scaled(weight, factors), match[_weight].Name + "_normalized");
        Value shifted = graph.Constant(Tensor.Of(bias, channels), match[_weight].Name + "_bias");
        return graph.Op("Conv", [match[_x], scaled, shifted], conv.Attributes);
    }

    private static double[] Factors(Tensor scale, Tensor variance, float epsilon)
    {
        float[] s = scale.ToArray<float>();
        float[] v = variance.ToArray<float>();
        return [.. s.Zip(v, (gamma, squared) => gamma / Math.Sqrt(squared + (double)epsilon))];
    }

    private static Tensor Scaled(Tensor weight, double[] factors) => Tensor.Lazy(ElementType.Float, weight.Dimensions.AsSpan(), bytes =>
    {
        using TensorLease lease = weight.Open();
        ReadOnlySpan<float> from = lease.As<float>();
        Span<float> to = MemoryMarshal.Cast<byte, float>(bytes);
        int perChannel = from.Length / factors.Length;
        for (int c = 0; c < factors.Length; c++)
        {
            for (int i = c * perChannel; i < (c + 1) * perChannel; i++)
                to[i] = (float)(from[i] * factors[c]);
        }
    });
}
