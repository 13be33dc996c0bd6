using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateTransposeTests
{
    [Fact]
    public void Removes_a_transpose_that_moves_nothing() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[2,3] y) { a = Transpose <perm = [0, 1]> (x) y = Relu (a) }", new EliminateTranspose()));

    [Fact]
    public void Keeps_one_that_moves_an_axis() => PassCheck.Refuses(
        "g (float[2,2] x) => (float[2,2] y) { a = Transpose (x) y = Relu (a) }", new EliminateTranspose(), "moves an axis");

    [Fact]
    public void Keeps_one_of_unknown_rank() => PassCheck.Refuses(
        "g (float[4] x, int64[N] s) => (float[2,2] y) { r = Reshape (x, s) y = Transpose (r) }", new EliminateTranspose(), "the rank is not known");
}
