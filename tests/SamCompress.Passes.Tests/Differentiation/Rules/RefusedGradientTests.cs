using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Differentiation;
using SamCompress.Passes.Rewriting;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Differentiation.Rules;

/// <summary>Forms of operators that have no gradient here, with the reason that is given.</summary>
public sealed class RefusedGradientTests
{
    [Theory]
    [InlineData("[2, 3]", "[4, 3]", "Pad <mode = \"reflect\"> (x, i)", "int64[4] i = {1, 0, 1, 0}", "mode reflect")]
    [InlineData("[2, 3]", "[2, 3]", "Dropout (x, r, t)", "float r = {0.5}, bool t = {1}", "it may drop elements")]
    [InlineData("[2, 3, 4]", "[2, 4]", "GatherND <batch_dims = 1> (x, i)", "int64[2, 1] i = {0, 2}", "it has batch dimensions")]
    [InlineData("[1, 2, 4, 4]", "[1, 2, 2, 2]", "Resize <mode = \"linear\", antialias = 1> (x, , , i)", "int64[4] i = {1, 2, 2, 2}", "it smooths against aliases")]
    [InlineData("[1, 2, 4, 4]", "[1, 2, 2, 2]", "Resize <mode = \"linear\", axes = [2, 3]> (x, , , i)", "int64[2] i = {2, 2}", "it names axes")]
    [InlineData("[1, 2, 4, 4]", "[1, 2, 2, 2]", "Resize <mode = \"linear\", coordinate_transformation_mode = \"half_pixel_symmetric\"> (x, , , i)", "int64[4] i = {1, 2, 2, 2}", "coordinates half_pixel_symmetric")]
    [InlineData("[1, 2, 5, 5]", "[1, 2, 3, 3]", "AveragePool <kernel_shape = [2, 2], strides = [2, 2], ceil_mode = 1> (x)", "int64 i = {1}", "its windows may reach over the end (ceil_mode)")]
    [InlineData("[1, 2, 3, 3]", "[1, 1, 6, 6]", "ConvTranspose <strides = [2, 2], output_shape = [6, 6]> (x, w)", "float[2, 1, 2, 2] w = {1, 1, 1, 1, 1, 1, 1, 1}", "its output_shape decides on the pads")]
    [InlineData("[1, 2, 3, 3]", "[1, 1, 6, 6]", "ConvTranspose <strides = [2, 2], auto_pad = \"SAME_UPPER\"> (x, w)", "float[2, 1, 2, 2] w = {1, 1, 1, 1, 1, 1, 1, 1}", "its pads are automatic")]
    [InlineData("[1, 1, 3, 3]", "[1, 1, 6, 6]", "ConvTranspose <dilations = [2, 2], output_padding = [1, 1]> (x, w)", "float[1, 1, 2, 2] w = {1, 1, 1, 1}", "its output_padding is not below its strides")]
    public void One_input(string from, string to, string call, string operands, string reason) => Refuses($$"""
        agraph (float{{from}} x) => (float{{to}} y) <{{operands}}>
        {
            y = {{call}}
        }
        """, reason);

    [Fact]
    public void Slice_with_computed_starts() => Refuses("""
        agraph (float[5] x, int64[1] start, int64[1] end) => (float[2] y)
        {
            y = Slice (x, start, end)
        }
        """, "its starts are not constant");

    [Fact]
    public void BatchNormalization_in_training() => Refuses("""
        agraph (float[2, 1, 2] x) => (float[2, 1, 2] y) <float[1] one = {1}>
        {
            y, mean, variance = BatchNormalization <training_mode = 1> (x, one, one, one, one)
        }
        """, "it computes the statistics of the batch");

    [Fact]
    public void QuantizeLinear_with_a_computed_scale() => Refuses("""
        agraph (float[2] x, float s) => (float[2] y)
        {
            q = QuantizeLinear (x, s)
            y = DequantizeLinear (q, s)
        }
        """, "its scale is not constant");

    [Fact]
    public void A_scale_that_would_be_trained() => Refuses("""
        agraph (float x, int8[2] q) => (float[2] y)
        {
            y = DequantizeLinear (q, x)
        }
        """, "its scale would be trained");

    private static void Refuses(string text, string reason)
    {
        using Model model = ModelText.Parse(text);
        ShapeInference.Infer(model);
        Value loss = new GraphBuilder(model, "loss").Op("ReduceSum", [model.Graph.Outputs[0]], [NodeAttribute.Of("keepdims", 0L)]);
        SamCompressException e = Assert.Throws<SamCompressException>(() => Differentiator.Differentiate(model, loss, [model.Graph.Inputs.First(i => i.Name == "x")]));
        Assert.Equal(FailureKind.Unsupported, e.Kind);
        Assert.EndsWith(": " + reason, e.Message, StringComparison.Ordinal);
    }
}
