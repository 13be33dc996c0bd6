using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class MergeSlicesIntoSplitTests
{
    private const string Constants = "<int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2}, int64[1] end = {9223372036854775807}, int64 i0 = {0}, int64 i1 = {1}, int64 i2 = {-1}>";

    [Fact]
    public void Makes_one_split_of_slices_in_any_order() => Snapshot.Match(PassCheck.Apply(
        $"g (float[2,5] x) => (float[2,1] a, float[2,1] b, float[2,3] c) {Constants} {{ c = Slice (x, two, end, one) a = Slice (x, zero, one, one) b = Slice (x, one, two, one) }}",
        new MergeSlicesIntoSplit()));

    [Fact]
    public void Makes_one_split_of_gathered_query_key_and_value() => Snapshot.Match(PassCheck.Apply(
        $"g (float[3,2,5] x) => (float[2,5] y) {Constants} {{ q = Gather (x, i0) k = Gather (x, i1) v = Gather (x, i2) s = Mul (q, k) y = Add (s, v) }}",
        new MergeSlicesIntoSplit()));

    [Fact]
    public void Leaves_other_users_of_the_value_alone() => Snapshot.Match(PassCheck.Apply(
        $"g (float[2,2] x) => (float[2,1] a, float[2,1] b, float[2,2] y) {Constants} {{ y = Neg (x) a = Slice (x, zero, one, one) b = Slice (x, one, two, one) }}",
        new MergeSlicesIntoSplit()));

    [Theory]
    [InlineData("overlap", "a = Slice (x, zero, two, one) b = Slice (x, one, end, one)")]
    [InlineData("gap", "a = Slice (x, zero, one, one) b = Slice (x, two, end, one)")]
    [InlineData("two axes", "a = Slice (x, zero, one, one) b = Slice (x, one, end, zero)")]
    [InlineData("a step", "a = Slice (x, zero, one, one) b = Slice (x, one, end, one, two)")]
    [InlineData("not to the end", "a = Slice (x, zero, one, one) b = Slice (x, one, two, one)")]
    public void Keeps_slices_that_are_no_parts(string why, string nodes)
    {
        Assert.NotEmpty(why);
        PassCheck.LeavesAlone($"g (float[2,5] x) => (float[N,M] a, float[K,L] b) {Constants} {{ {nodes} }}", new MergeSlicesIntoSplit());
    }

    [Fact]
    public void Keeps_slices_of_an_unknown_length() => PassCheck.LeavesAlone(
        $"g (float[2,N] x) => (float[2,1] a, float[2,M] b) {Constants} {{ a = Slice (x, zero, one, one) b = Slice (x, one, end, one) }}", new MergeSlicesIntoSplit());

    [Fact]
    public void Keeps_slices_before_opset_13() => PassCheck.LeavesAlone(
        $"g (float[2,2] x) => (float[2,1] a, float[2,1] b) {Constants} {{ a = Slice (x, zero, one, one) b = Slice (x, one, two, one) }}", new MergeSlicesIntoSplit(), opset: 12);
}
