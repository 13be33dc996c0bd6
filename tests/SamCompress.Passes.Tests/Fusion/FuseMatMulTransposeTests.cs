using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Fusion;
using SamCompress.Passes.Rewriting;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Fusion;

public sealed class FuseMatMulTransposeTests
{
    private const string Attention = "g (float[6,9,4] q, float[6,9,4] k) => (float[6,9,9] y) { t = Transpose <perm = [0, 2, 1]> (k) l = MatMul (q, t) y = Softmax <axis = -1> (l) }";

    /// <summary>SAM's queries by keys. The model has imported no contributed operators yet.</summary>
    [Fact]
    public void Queries_by_keys_become_one_node() => Snapshot.Match(PassCheck.Apply($"<ir_version: 10, opset_import: [\"\": 21]>\n{Attention}", new FuseMatMulTranspose()));

    [Fact]
    public void A_transposition_with_other_users_stays() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3,9,4] q, float[2,3,9,4] k) => (float[2,3,9,9] y, float[2,3,4,9] t) { t = Transpose <perm = [0, 1, 3, 2]> (k) y = MatMul (q, t) }",
        new FuseMatMulTranspose()));

    [Fact]
    public void A_matrix_without_a_permutation_is_transposed() => Snapshot.Match(PassCheck.Apply(
        "g (float[5,4] q, float[9,4] k) => (float[5,9] y) { t = Transpose (k) y = MatMul (q, t) }",
        new FuseMatMulTranspose()));

    [Theory]
    [InlineData("float[2,3,9,4] q, float[2,9,3,4] k", "float[2,3,9,9] y", "[0, 2, 3, 1]", "other axes than the last two are moved")] // heads of MobileSAM
    [InlineData("float[3,2,9,4] q, float[2,3,4,9] k", "float[3,2,9,9] y", "[1, 0, 2, 3]", "other axes than the last two are moved")]
    [InlineData("double[6,9,4] q, double[6,9,4] k", "double[6,9,9] y", "[0, 2, 1]", "the left operand is no matrix of type float")]
    [InlineData("float[4] q, float[6,9,4] k", "float[6,9] y", "[0, 2, 1]", "the left operand is no matrix of type float")]
    public void Refuses(string inputs, string output, string permutation, string reason) =>
        PassCheck.Refuses($"g ({inputs}) => ({output}) {{ t = Transpose <perm = {permutation}> (k) y = MatMul (q, t) }}", new FuseMatMulTranspose(), reason);

    [Fact]
    public void Is_what_onnx_runtime_does_itself()
    {
        using Model before = ModelText.Parse(Attention);
        using Model after = ModelText.Parse(Attention);
        ShapeInference.Infer(after);
        new Rewriter(new FuseMatMulTranspose()).Apply(after, PassCheck.Context());
        Assert.Equal(["FusedMatMul", "Softmax"], KernelReport.Read(before).Nodes.Select(n => n.OpType));
        Assert.Equal(["FusedMatMul", "Softmax"], KernelReport.Read(after).Nodes.Select(n => n.OpType));
    }
}
