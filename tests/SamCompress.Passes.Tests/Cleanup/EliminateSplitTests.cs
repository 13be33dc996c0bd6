using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateSplitTests
{
    [Fact]
    public void Removes_a_split_into_one_part() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[2,3] y) <int64[1] s = {2}> { a = Split <axis = 0> (x, s) y = Relu (a) }", new EliminateSplit()));

    [Fact]
    public void Keeps_a_split_into_several() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[1,3] y) { y, z = Split <axis = 0, num_outputs = 2> (x) }", new EliminateSplit(), "has several parts");

    [Fact]
    public void Keeps_a_split_whose_parts_are_used() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[1,3] y, float[1,3] z) { y, z = Split <axis = 0, num_outputs = 2> (x) }", new EliminateSplit(),
        "'z' is used outside the match");
}
