using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class MergeCastsTests
{
    [Fact]
    public void Merges_a_widening_cast_with_the_next() => Snapshot.Match(PassCheck.Apply(
        "g (int32[2,3] x) => (float[2,3] y) { a = Cast <to = 7> (x) b = Cast <to = 1> (a) y = Relu (b) }", new MergeCasts()));

    [Fact]
    public void Goes_around_an_inner_cast_with_other_users() => Snapshot.Match(PassCheck.Apply(
        "g (bool[2,3] x) => (float[2,3] y, int64[2,3] a) { a = Cast <to = 7> (x) b = Cast <to = 1> (a) y = Relu (b) }", new MergeCasts()));

    [Fact]
    public void Keeps_a_cast_that_rounds() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[2,3] y) { a = Cast <to = 7> (x) y = Cast <to = 1> (a) }", new MergeCasts(), "the first cast may lose something");

    [Fact]
    public void Keeps_a_cast_of_big_integers_to_float() => PassCheck.Refuses(
        "g (int32[2,3] x) => (int64[2,3] y) { a = Cast <to = 1> (x) y = Cast <to = 7> (a) }", new MergeCasts(), "the first cast may lose something");
}
