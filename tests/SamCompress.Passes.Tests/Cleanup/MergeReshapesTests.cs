using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class MergeReshapesTests
{
    [Fact]
    public void Merges_a_chain_into_one_reshape() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,3,4] x) => (float[1,4,6] y) <int64[2] s = {6, 4}, int64[2] t = {4, 6}, int64[1] zero = {0}>
        { a = Reshape (x, s) b = Reshape (a, t) y = Unsqueeze (b, zero) }
        """,
        new MergeReshapes()));

    [Fact]
    public void Leaves_one_named_dimension_open() => Snapshot.Match(PassCheck.Apply(
        "g (float[N,3,4] x) => (float[M,2,6] y) <int64[2] s = {-1, 12}, int64[3] t = {-1, 2, 6}> { a = Reshape (x, s) b = Reshape (a, t) y = Relu (b) }",
        new MergeReshapes()));

    [Fact]
    public void Goes_around_an_inner_reshape_with_other_users() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[1,6] y, float[3,2] z) <int64[2] s = {3, 2}> { a = Reshape (x, s) y = Flatten <axis = 0> (a) z = Relu (a) }",
        new MergeReshapes()));

    [Fact]
    public void Keeps_a_graph_output_between() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[3,2] a, float[6,1] y) <int64[2] s = {3, 2}, int64[2] t = {6, 1}> { a = Reshape (x, s) y = Reshape (a, t) }",
        new MergeReshapes()));

    [Fact]
    public void Keeps_a_chain_of_unknown_shape() => PassCheck.Refuses(
        "g (float[2,6] x, int64[2] t) => (float[N,M] y) <int64[2] s = {3, 4}> { a = Reshape (x, s) y = Reshape (a, t) }", new MergeReshapes(),
        "the shape of the result is not known well enough");
}
