using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Fusion;
using SamCompress.Passes.Rewriting;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Fusion;

public sealed class FuseGemmTests
{
    private const string Constants =
        "<float[3,2] w = {1.5, -2, 0.3, 0.7, -1, 4}, float[2] b = {0.1, -0.2}, float[1,2] row = {0.1, -0.2}, float[1,1,2] cube = {0.1, -0.2}, float[1] one = {0.5}, "
        + "float[4,2] table = {1, 2, 3, 4, 5, 6, 7, 8}, double[3,2] dw = {1, 2, 3, 4, 5, 6}, double[2] db = {1, 2}, float[2,3,2] batch = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}>";

    /// <summary>Four terms of at most 8, summed in another order, against outputs of that size.</summary>
    private const double Rounding = 4e-7;

    /// <summary>The bias first, as the exporter of SAM writes it, and behind the product.</summary>
    [Fact]
    public void A_linear_of_rows_becomes_one_node() => Snapshot.Match(PassCheck.Apply(
        $"g (float[4,3] x) => (float[4,2] y) {Constants} {{ [product] p = MatMul (x, w) [sum] q = Add (b, p) r = Relu (q) p2 = MatMul (x, w) y2 = Add (p2, row) y = Add (r, y2) }}",
        new FuseGemm(),
        maxRelative: Rounding));

    [Fact]
    public void Rows_of_unknown_number_are_fused_and_an_output_keeps_its_name() => Snapshot.Match(PassCheck.Apply(
        $"g (float[n,3] x) => (float[n,2] y) {Constants} {{ p = MatMul (x, w) y = Add (p, b) }}",
        new FuseGemm(),
        maxRelative: Rounding));

    [Theory]
    [InlineData("float[1,4,3] x", "float[1,4,2] y", "p = MatMul (x, w) y = Add (p, b)", "x is no matrix")]
    [InlineData("float[3] x", "float[2] y", "p = MatMul (x, w) y = Add (p, b)", "x is no matrix")]
    [InlineData("double[4,3] x", "double[4,2] y", "p = MatMul (x, dw) y = Add (p, db)", "the weight is no matrix of type float")]
    [InlineData("float[4,3] x", "float[2,4,2] y", "p = MatMul (x, batch) y = Add (p, b)", "the weight is no matrix of type float")]
    [InlineData("float[4,3] x", "float[4,2] y", "p = MatMul (x, w) y = Add (p, one)", "the bias does not have one element for each column")]
    [InlineData("float[4,3] x", "float[4,2] y", "p = MatMul (x, w) y = Add (p, table)", "the bias does not have one element for each column")]
    [InlineData("float[4,3] x", "float[1,4,2] y", "p = MatMul (x, w) y = Add (p, cube)", "the bias does not have one element for each column")] // which also keeps ONNX Runtime from fusing
    [InlineData("float[4,3] x", "float[4,2] y, float[4,2] p", "p = MatMul (x, w) y = Add (p, b)", "'p' is used outside the match")]
    [InlineData("float[4,3] x, float[3,2] k", "float[4,2] y", "p = MatMul (x, k) y = Add (p, b)", "the rest of the pattern does not match")]
    public void Refuses(string inputs, string outputs, string nodes, string reason) =>
        PassCheck.Refuses($"g ({inputs}) => ({outputs}) {Constants} {{ {nodes} }}", new FuseGemm(), reason);

    [Fact]
    public void Refuses_an_opset_whose_gemm_does_not_broadcast() =>
        PassCheck.Refuses($"g (float[4,3] x) => (float[4,2] y) {Constants} {{ p = MatMul (x, w) y = Add <broadcast = 1> (p, b) }}", new FuseGemm(), "Gemm of this opset does not broadcast its bias", opset: 6);

    /// <summary>ONNX Runtime makes the same Gemm of both, so that a model computes what it did before, bit for bit.</summary>
    [Fact]
    public void Is_what_onnx_runtime_does_itself()
    {
        string text = $"g (float[4,3] x) => (float[4,2] y) {Constants} {{ p = MatMul (x, w) y = Add (p, b) }}";
        using Model before = ModelText.Parse(text);
        using Model after = ModelText.Parse(text);
        ShapeInference.Infer(after);
        new Rewriter(new FuseGemm()).Apply(after, PassCheck.Context());
        Assert.Equal(["Gemm"], KernelReport.Read(before).Nodes.Select(n => n.OpType));
        Assert.Equal(["Gemm"], KernelReport.Read(after).Nodes.Select(n => n.OpType));
        NumericAssert.Close(before, after, 0, optimization: GraphOptimization.All);
    }
}
