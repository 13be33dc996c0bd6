using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class MergeSlicesTests
{
    private const string Constants = "<int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2}, int64[1] three = {3}, int64[1] last = {-1}>";

    [Fact]
    public void Merges_crops_of_two_axes() => Snapshot.Match(PassCheck.Apply(
        $"g (float[5,4] x) => (float[3,2] y) {Constants} {{ a = Slice (x, zero, three, zero) b = Slice (a, zero, two, last) y = Relu (b) }}",
        new MergeSlices()));

    [Fact]
    public void Keeps_two_slices_of_one_axis() => PassCheck.Refuses(
        $"g (float[5,4] x) => (float[2,4] y) {Constants} {{ a = Slice (x, zero, three, zero) y = Slice (a, one, three, zero) }}", new MergeSlices(),
        "both cut along one axis");

    [Fact]
    public void Keeps_a_shared_inner_slice() => PassCheck.Refuses(
        $"g (float[5,4] x) => (float[3,4] a, float[3,2] y) {Constants} {{ a = Slice (x, zero, three, zero) y = Slice (a, zero, two, one) }}", new MergeSlices(),
        "'a' is used outside the match");

    [Fact]
    public void Keeps_slices_with_computed_operands() => PassCheck.Refuses(
        $"g (float[5,4] x, int64[1] e) => (float[3,N] y) {Constants} {{ a = Slice (x, zero, three, zero) y = Slice (a, zero, e, one) }}", new MergeSlices(),
        "the operands are not constant");

    [Fact]
    public void Keeps_slices_of_unknown_rank() => PassCheck.Refuses(
        $"g (float[4] x, int64[N] s) => (float[M,K] y) {Constants} {{ r = Reshape (x, s) a = Slice (r, zero, one, zero) y = Slice (a, zero, one, one) }}", new MergeSlices(),
        "the rank is not known");
}
