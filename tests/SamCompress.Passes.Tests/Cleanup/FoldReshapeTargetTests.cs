using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class FoldReshapeTargetTests
{
    [Fact]
    public void Copies_a_named_dimension() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,N,12] x) => (float[2,N,3,4] y) <int64[2] heads = {3, 4}>
        { n = Shape <start = 0, end = 2> (x) s = Concat <axis = 0> (n, heads) a = Reshape (x, s) y = Relu (a) }
        """,
        new FoldReshapeTarget()));

    [Fact]
    public void Leaves_a_moved_dimension_open() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,N,6] x) => (float[M,12] y) <int64[1] twelve = {12}>
        { n = Shape <start = 1, end = 2> (x) s = Concat <axis = 0> (n, twelve) a = Reshape (x, s) y = Relu (a) }
        """,
        new FoldReshapeTarget()));

    [Fact]
    public void Keeps_two_open_dimensions() => PassCheck.Refuses(
        "g (float[2,6] x, int64[2] s) => (float[N,M] y) { y = Reshape (x, s) }", new FoldReshapeTarget(), "the shape of the result is not known well enough");

    /// <summary>Found by the fuzzer: nothing computes the shape, and what the model declares of its output cannot be.</summary>
    [Fact]
    public void Does_not_believe_a_declaration_that_cannot_be() => PassCheck.Refuses(
        "g (float[2,6] x, int64[1] s) => (float[24] y) { y = Reshape (x, s) }", new FoldReshapeTarget(), "the result is declared with 24 elements, and 12 are given");

    [Fact]
    public void Keeps_a_constant_shape() => PassCheck.Refuses(
        "g (float[2,6] x) => (float[3,4] y) <int64[2] s = {3, 4}> { y = Reshape (x, s) }", new FoldReshapeTarget(), "the shape is constant already");
}
