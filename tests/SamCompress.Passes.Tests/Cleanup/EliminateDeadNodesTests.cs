using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateDeadNodesTests
{
    [Fact]
    public void Removes_a_dead_chain_in_one_sweep() => Snapshot.Match(PassCheck.Apply(
        "g (float[2] x) => (float[2] y) { a = Neg (x) b = Relu (a) c = Sqrt (b) y = Neg (a) }", new EliminateDeadNodes()));

    [Fact]
    public void Keeps_what_only_a_branch_reads() => PassCheck.LeavesAlone(
        """
        g (bool c, float[2] x) => (float[2] y) {
          a = Neg (x)
          y = If (c) <then_branch = t () => (float[2] p) { p = Relu (a) }, else_branch = e () => (float[2] q) { q = Relu (x) }>
        }
        """,
        new EliminateDeadNodes());

    [Fact]
    public void Keeps_a_node_with_one_used_output_of_several() => PassCheck.LeavesAlone(
        "g (float[2,2] x) => (float[1,2] y) { a, y = Split <num_outputs = 2> (x) }", new EliminateDeadNodes());
}
