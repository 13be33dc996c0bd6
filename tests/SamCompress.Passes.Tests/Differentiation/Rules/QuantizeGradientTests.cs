using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Differentiation;
using SamCompress.Passes.Rewriting;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Differentiation.Rules;

/// <summary>A quantizer is a step function, so its differences are no gradient: the numbers are the definition of "straight through", by hand.</summary>
public sealed class QuantizeGradientTests
{
    /// <summary>Zero point 3 and scale 0.5 reach from (-128 - 3) 0.5 = -65.5 to (127 - 3) 0.5 = 62; a quarter more rounds to that.</summary>
    [Fact]
    public void Passes_where_nothing_is_clipped() => Assert.Equal([0, 2, 3, 4, 5, 0], Gradient("""
        agraph (double[6] x) => (double[6] y) <double s = {0.5}, int8 z = {3}>
        {
            q = QuantizeLinear (x, s, z)
            y = DequantizeLinear (q, s, z)
        }
        """, [-66, -65.7, 0.1, 62, 62.2, 62.3]));

    [Fact]
    public void Each_channel_has_its_own_range() => Assert.Equal([1, 0, 3, 0, 5, 6], Gradient("""
        agraph (double[1, 2, 3] x) => (double[1, 2, 3] y) <double[2] s = {0.01, 0.1}, uint8[2] z = {0, 128}>
        {
            q = QuantizeLinear <axis = 1> (x, s, z)
            y = DequantizeLinear <axis = 1> (q, s, z)
        }
        """, [0, 2.6, 2.5, -13, -12.8, 12.7]));

    [Fact]
    public void A_movement_between_both_moves_the_gradient() => Assert.Equal([1, 4, 2, 5, 3, 0], Gradient("""
        agraph (double[3, 2] x) => (double[2, 3] y) <double s = {0.1}, uint8 z = {0}>
        {
            q = QuantizeLinear (x, s, z)
            t = Transpose (q)
            y = DequantizeLinear (t, s, z)
        }
        """, [1, 2, 3, 4, 5, 26]));

    /// <summary>The gradient of sum(y * {1, 2, 3, ...}).</summary>
    private static double[] Gradient(string text, double[] x)
    {
        using Model model = ModelText.Parse(text);
        ShapeInference.Infer(model);
        var builder = new GraphBuilder(model, "loss");
        Value output = model.Graph.Outputs[0];
        Value factors = builder.Constant(Tensor.Of<double>(ElementType.Double, [.. x.Select((_, i) => i + 1.0)], output.Shape!.ToStatic()!));
        Value loss = builder.Op("ReduceSum", [builder.Mul(output, factors)], [NodeAttribute.Of("keepdims", 0L)]);
        Value gradient = Differentiator.Differentiate(model, loss, [model.Graph.Inputs[0]])[model.Graph.Inputs[0]];
        model.Graph.RemoveOutput(0);
        model.Graph.AddOutput(gradient);
        using var evaluator = new ReferenceModelEvaluator();
        return evaluator.Run(model, new Dictionary<string, double[]> { ["x"] = x })[gradient.Name];
    }
}
