using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateDuplicateNodesTests
{
    [Fact]
    public void Merges_equal_chains_in_one_sweep() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[3,2] y) { a = Neg (x) b = Transpose <perm = [1, 0]> (a) c = Neg (x) d = Transpose <perm = [1, 0]> (c) y = Add (b, d) }",
        new EliminateDuplicateNodes()));

    [Fact]
    public void Keeps_nodes_with_different_attributes() => PassCheck.LeavesAlone(
        "g (float[2,3] x) => (float[2,3] y) { a = Softmax <axis = 0> (x) b = Softmax <axis = 1> (x) y = Add (a, b) }", new EliminateDuplicateNodes());

    [Fact]
    public void Keeps_nodes_with_other_inputs() => PassCheck.LeavesAlone(
        "g (float[2] x, float[2] z) => (float[2] y) { a = Sub (x, z) b = Sub (z, x) y = Add (a, b) }", new EliminateDuplicateNodes());

    [Fact]
    public void Keeps_random_numbers() => PassCheck.LeavesAlone(
        "g (float[2] x) => (float[2] y) { a = RandomNormalLike (x) b = RandomNormalLike (x) y = Add (a, b) }", new EliminateDuplicateNodes());

    [Fact]
    public void Keeps_two_graph_outputs() => PassCheck.LeavesAlone(
        "g (float[2] x) => (float[2] y, float[2] z) { y = Neg (x) z = Neg (x) }", new EliminateDuplicateNodes());
}
