using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class MergeTransposesTests
{
    [Fact]
    public void Merges_two_permutations() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3,4] x) => (float[4,2,3] y) { a = Transpose <perm = [1, 0, 2]> (x) b = Transpose <perm = [2, 1, 0]> (a) y = Relu (b) }",
        new MergeTransposes()));

    [Fact]
    public void Removes_both_when_they_cancel() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3,4] x) => (float[2,3,4] y) { a = Transpose <perm = [1, 2, 0]> (x) b = Transpose <perm = [2, 0, 1]> (a) y = Relu (b) }",
        new MergeTransposes()));

    [Fact]
    public void Goes_around_an_inner_transpose_with_other_users() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[2,3] y, float[3,2] a) { a = Transpose (x) b = Transpose (a) y = Relu (b) }", new MergeTransposes()));

    [Fact]
    public void Keeps_permutations_of_unknown_rank() => PassCheck.Refuses(
        "g (float[4] x, int64[N] s) => (float[2,2] y) { r = Reshape (x, s) a = Transpose (r) y = Transpose (a) }", new MergeTransposes(),
        "the rank is not known");
}
