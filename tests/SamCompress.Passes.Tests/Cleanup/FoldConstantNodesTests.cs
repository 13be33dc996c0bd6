using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class FoldConstantNodesTests
{
    [Fact]
    public void Makes_initializers_of_every_kind_of_constant() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,2] x) => (float[2,2] y, int64[2] z) {
          a = Constant <value = float[2] {1, 2}> ()
          b = Constant <value_float = 0.5> ()
          c = Constant <value_floats = [1.5, -2.5]> ()
          i = Constant <value_int = 3> ()
          j = Constant <value_ints = [4, 5]> ()
          d = Add (x, a) e = Mul (d, b) y = Sub (e, c) z = Add (i, j)
        }
        """,
        new FoldConstantNodes()));

    [Fact]
    public void Keeps_a_constant_that_is_a_graph_output() => PassCheck.LeavesAlone(
        "g () => (float[2] y) { y = Constant <value = float[2] {1, 2}> () }", new FoldConstantNodes());

    [Fact]
    public void Works_inside_branches() => Snapshot.Match(PassCheck.Apply(
        """
        g (bool c, float[2] x) => (float[2] y) {
          y = If (c) <then_branch = t () => (float[2] a) { k = Constant <value = float[2] {1, 2}> () a = Add (x, k) },
                      else_branch = e () => (float[2] b) { b = Neg (x) }>
        }
        """,
        new FoldConstantNodes()));
}
