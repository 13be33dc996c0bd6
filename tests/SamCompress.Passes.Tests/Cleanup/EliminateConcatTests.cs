using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateConcatTests
{
    [Fact]
    public void Removes_a_concat_of_one() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[2,3] y) { a = Concat <axis = 0> (x) y = Relu (a) }", new EliminateConcat()));

    [Fact]
    public void Removes_a_concat_of_all_parts_of_a_split() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,4] x) => (float[2,4] y, float[2,2] z) { a, b = Split <axis = 1, num_outputs = 2> (x) c = Concat <axis = -1> (a, b) y = Relu (c) z = Neg (a) }",
        new EliminateConcat()));

    [Fact]
    public void Keeps_a_concat_of_several_values() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[4,3] y) { y = Concat <axis = 0> (x, x) }", new EliminateConcat(), "joins several values");

    [Fact]
    public void Keeps_parts_in_another_order() => PassCheck.Refuses(
        "g (float[2,4] x) => (float[2,4] y) { a, b = Split <axis = 1, num_outputs = 2> (x) y = Concat <axis = 1> (b, a) }", new EliminateConcat(),
        "does not join all parts of one Split in order");

    [Fact]
    public void Keeps_parts_along_another_axis() => PassCheck.Refuses(
        "g (float[2,4] x) => (float[4,2] y) { a, b = Split <axis = 1, num_outputs = 2> (x) y = Concat <axis = 0> (a, b) }", new EliminateConcat(),
        "splits and joins along different axes");
}
