using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Repair;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Repair;

public sealed class ApplyRepairTests
{
    private static readonly AffineMap Map = new([1, 2, 3, 4, 5, 6], [0.5f, -1]);

    /// <summary>The map as a graph; w is [3, 2], t its transposition.</summary>
    private const string Constants = "<float[3,2] w = {9, 8, 7, 6, 5, 4}, float[2,3] t = {9, 7, 5, 8, 6, 4}, float[2,3,1,1] k = {9, 7, 5, 8, 6, 4}, float[2] b = {1, 2}, float[1,2] r = {1, 2}>";

    [Theory]
    [InlineData("[l] p = MatMul (x, w) y = Add (p, b)")]
    [InlineData("[l] p = MatMul (x, w) y = Add (r, p)")]
    [InlineData("[l] y = MatMul (x, w)")]
    [InlineData("v = Transpose (t) [l] y = MatMul (x, v)")]
    [InlineData("[l] y = Gemm (x, w, b)")]
    [InlineData("[l] y = Gemm <transB = 1> (x, t)")]
    public void Every_form_of_a_Linear_computes_the_map(string nodes)
    {
        using Model expected = Parse("g (float[4,3] x) => (float[4,2] y) <float[3,2] w = {1, 2, 3, 4, 5, 6}, float[2] b = {0.5, -1}> { p = MatMul (x, w) y = Add (p, b) }");
        using Model actual = Parse($"g (float[4,3] x) => (float[4,2] y) {Constants} {{ {nodes} }}");
        AssertApplied(expected, actual);
    }

    [Theory]
    [InlineData("[l] y = Conv (x, k)")]
    [InlineData("[l] y = Conv <pads = [0, 0, 0, 0], strides = [1, 1]> (x, k, b)")]
    public void A_pointwise_convolution_computes_the_map(string nodes)
    {
        using Model expected = Parse("g (float[2,3,2,5] x) => (float[2,2,2,5] y) <float[2,3,1,1] k = {1, 3, 5, 2, 4, 6}, float[2] b = {0.5, -1}> { y = Conv (x, k, b) }");
        using Model actual = Parse($"g (float[2,3,2,5] x) => (float[2,2,2,5] y) {Constants} {{ {nodes} }}");
        AssertApplied(expected, actual);
    }

    [Fact]
    public void Adds_a_bias_for_all_readers_and_leaves_others_the_shared_weight()
    {
        using Model model = Parse($"g (float[4,3] x) => (float[4,2] p, float[4,2] y, float[4,2] z) {Constants} {{ [l] p = MatMul (x, w) [m] q = MatMul (x, w) y = Relu (p) z = Sub (q, p) }}");
        string before = ModelText.Print(model);
        Assert.Equal(1, Apply(model));
        model.Graph.RemoveUnusedInitializers();
        Assert.DoesNotContain(GraphChecker.Check(model), d => d.Severity == Severity.Error);
        Snapshot.Match($"before:\n{before}\nafter:\n{ModelText.Print(model)}");
    }

    [Fact]
    public void What_is_not_kept_stays()
    {
        using Model model = Parse($"g (float[4,3] x) => (float[4,2] y) {Constants} {{ [l] y = MatMul (x, w) }}");
        string before = ModelText.Print(model);
        Assert.Equal(0, new ApplyRepair(PlanOf("l", null)).Apply(model, PassCheck.Context()));
        Assert.Equal(before, ModelText.Print(model));
    }

    [Fact]
    public void A_plan_of_another_model_is_an_error()
    {
        using Model model = Parse($"g (float[4,3] x) => (float[4,2] y) {Constants} {{ [l] y = MatMul (x, w) }}");
        Assert.Equal("the model has no layer 'k' to repair", Assert.Throws<InvariantException>(() => new ApplyRepair(PlanOf("k", Map)).Apply(model, PassCheck.Context())).Message);
        Assert.Equal(
            "the repair of 'l' has another size than the layer",
            Assert.Throws<InvariantException>(() => new ApplyRepair(PlanOf("l", new AffineMap([1, 2], [1]))).Apply(model, PassCheck.Context())).Message);
    }

    [Theory]
    [InlineData("[l] y = Conv <pads = [1, 1, 1, 1]> (x, k)", "it is a convolution that strides or pads")]
    [InlineData("[l] y = Conv <auto_pad = \"SAME_UPPER\", strides = [2, 2]> (x, k)", "it is a convolution that strides or pads")]
    [InlineData("[l] y = Conv <group = 3> (x, d)", "it is no Linear and no pointwise convolution")]
    [InlineData("[l] y = Conv (x, c)", "it is no Linear and no pointwise convolution")]
    public void Other_layers_are_refused(string nodes, string reason)
    {
        using Model model = Parse($"g (float[2,3,2,5] x) => (y) {Constants[..^1]}, float[3,1,1,1] d = {{1, 2, 3}}, float[1,3,1,2] c = {{1, 2, 3, 4, 5, 6}}> {{ {nodes} }}");
        Assert.Equal(reason, RepairableLayer.Refusal(Assert.Single(LayerFinder.Find(model.Graph))));
    }

    [Fact]
    public void The_target_is_what_is_behind_the_residual()
    {
        const string Text = "g (float[4,3] x) => (float[4,2] y) <float[3,2] w = {9, 8, 7, 6, 5, 4}, float[2] b = {1, 2}> { [m] e = MatMul (x, w) [l] p = MatMul (e, v) q = Add (p, b) y = Add (e, q) }";
        string text = Text.Replace("float[2] b", "float[2,2] v = {1, 2, 3, 4}, float[2] b", StringComparison.Ordinal);
        using Model student = Parse(text), teacher = Parse(text), other = Parse("g (float[4,3] x) => (float[4,3] y) { y = Relu (x) }");
        IReadOnlyList<QuantizableLayer> layers = LayerFinder.Find(student.Graph);
        Assert.Equal(new RepairTarget("m", "e"), RepairTarget.Of(layers[0], teacher));
        Assert.Equal(new RepairTarget("l", "y", "e"), RepairTarget.Of(layers[1], teacher));
        Assert.Null(RepairTarget.Of(layers[1], other));
    }

    private static Model Parse(string text)
    {
        Model model = ModelText.Parse(text);
        ShapeInference.Infer(model);
        return model;
    }

    private static int Apply(Model model) => new ApplyRepair(PlanOf("l", Map)).Apply(model, PassCheck.Context());

    private static void AssertApplied(Model expected, Model actual)
    {
        AffineMap before = RepairableLayer.MapOf(Assert.Single(LayerFinder.Find(actual.Graph)));
        Assert.Equal([9, 8, 7, 6, 5, 4], before.Weight);
        Assert.Equal(1, Apply(actual));
        Assert.DoesNotContain(GraphChecker.Check(actual), d => d.Severity == Severity.Error);
        NumericAssert.Close(expected, actual, 1e-6); // three products in float, summed up in any order
        AffineMap after = RepairableLayer.MapOf(Assert.Single(LayerFinder.Find(actual.Graph)));
        Assert.Equal(Map.Weight, after.Weight);
        Assert.Equal(Map.Bias, after.Bias);
    }

    private static RepairPlan PlanOf(string layer, AffineMap? map) =>
        new([new LayerRepair { Layer = layer, Lambda = 0.1, Refitted = 2, ErrorBefore = 0.5, ErrorAfter = 0.25, Map = map, Why = "test" }]);
}
