using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Differentiation;
using SamCompress.Passes.Rewriting;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Differentiation.Rules;

/// <summary>The nodes that the rules make of what exporters write, at small sizes.</summary>
public sealed class ExporterFormTests
{
    [Theory]
    [InlineData("patches", "[1, 3, 32, 32]", "[8, 3, 16, 16]", "[1, 8, 2, 2]", "Conv <strides = [16, 16], kernel_shape = [16, 16]> (x, w)")]
    [InlineData("neck", "[1, 8, 4, 4]", "[8, 8, 3, 3]", "[1, 8, 4, 4]", "Conv <pads = [1, 1, 1, 1], kernel_shape = [3, 3]> (x, w)")]
    [InlineData("depthwise", "[1, 8, 8, 8]", "[8, 1, 3, 3]", "[1, 8, 4, 4]", "Conv <pads = [1, 1, 1, 1], strides = [2, 2], group = 8, kernel_shape = [3, 3]> (x, w)")]
    [InlineData("upscaling", "[1, 8, 4, 4]", "[8, 4, 2, 2]", "[1, 4, 8, 8]", "ConvTranspose <strides = [2, 2], kernel_shape = [2, 2]> (x, w)")]
    public void Convolution(string form, string x, string w, string y, string call) => Match(form, $$"""
        agraph (float{{x}} x, float{{w}} w) => (float{{y}} y)
        {
            y = {{call}}
        }
        """);

    [Theory]
    [InlineData("table", "[5, 4]", "[3, 3, 4]", "Gather (x, i)", "int64[3, 3] i = {2, 1, 0, 3, 2, 1, 4, 3, 2}")]
    [InlineData("windows", "[1, 4, 4, 2]", "[1, 7, 7, 2]", "Pad (x, i)", "int64[8] i = {0, 0, 0, 0, 0, 3, 3, 0}")]
    [InlineData("cropping", "[1, 7, 7, 2]", "[1, 4, 4, 2]", "Slice (x, i, end, axes)", "int64[2] i = {0, 0}, int64[2] end = {4, 4}, int64[2] axes = {1, 2}")]
    [InlineData("masks", "[1, 4, 8, 8]", "[1, 4, 32, 32]", "Resize <mode = \"linear\"> (x, , , i)", "int64[4] i = {1, 4, 32, 32}")]
    public void Movement(string form, string x, string y, string call, string operands) => Match(form, $$"""
        agraph (float{{x}} x) => (float{{y}} y) <{{operands}}>
        {
            y = {{call}}
        }
        """);

    private static void Match(string form, string text)
    {
        using Model model = ModelText.Parse(text, opset: 17);
        ShapeInference.Infer(model);
        Value loss = new GraphBuilder(model, "loss").Op("ReduceSum", [model.Graph.Outputs[0]], [NodeAttribute.Of("keepdims", 0L)]);
        foreach (Value gradient in Differentiator.Differentiate(model, loss, [.. model.Graph.Inputs]).Values)
            model.Graph.AddOutput(gradient);
        Snapshot.Match(ModelText.Print(model), form, method: "Gradients");
    }
}
