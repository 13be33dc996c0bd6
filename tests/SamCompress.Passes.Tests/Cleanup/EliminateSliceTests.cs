using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateSliceTests
{
    [Fact]
    public void Removes_a_slice_of_everything() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,3] x) => (float[2,3] y) <int64[1] s = {0}, int64[1] e = {9223372036854775807}, int64[1] a = {1}>
        { b = Slice (x, s, e, a) y = Relu (b) }
        """,
        new EliminateSlice()));

    [Fact]
    public void Keeps_one_that_cuts() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[2,2] y) <int64[1] s = {1}, int64[1] e = {3}, int64[1] a = {1}> { y = Slice (x, s, e, a) }", new EliminateSlice(),
        "cuts something off, or the shape is not known");

    [Fact]
    public void Keeps_one_that_reverses() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[2,3] y) <int64[1] s = {2}, int64[1] e = {-9}, int64[1] a = {1}, int64[1] t = {-1}> { y = Slice (x, s, e, a, t) }",
        new EliminateSlice(), "a step is not 1");
}
