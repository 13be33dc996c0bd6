using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateReshapeTests
{
    [Fact]
    public void Removes_every_operator_that_keeps_the_shape() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,3] x) => (float[2,3] y) <int64[2] s = {2, -1}, int64[0] none = {}, int64[2] e = {1, 3}>
        { a = Reshape (x, s) b = Flatten <axis = 1> (a) c = Squeeze (b, none) d = Expand (c, e) y = Relu (d) }
        """,
        new EliminateReshape()));

    [Fact]
    public void Named_dimensions_count_as_equal() => Snapshot.Match(PassCheck.Apply(
        "g (float[N,4] x) => (float[N,4] y) <int64[2] s = {-1, 4}> { a = Reshape (x, s) y = Relu (a) }", new EliminateReshape()));

    [Fact]
    public void Keeps_what_changes_the_shape() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[3,2] y) <int64[2] s = {3, 2}> { y = Reshape (x, s) }", new EliminateReshape(),
        "changes the shape, or it is not known");

    [Fact]
    public void Keeps_what_may_change_the_shape() => PassCheck.Refuses(
        "g (float[2,3] x, int64[2] s) => (float[N,M] y) { y = Reshape (x, s) }", new EliminateReshape(),
        "changes the shape, or it is not known");
}
