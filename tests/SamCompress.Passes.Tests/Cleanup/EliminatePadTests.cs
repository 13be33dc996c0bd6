using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminatePadTests
{
    [Fact]
    public void Removes_a_pad_of_nothing() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[2,3] y) <int64[4] p = {0, 0, 0, 0}> { a = Pad (x, p) y = Relu (a) }", new EliminatePad()));

    [Fact]
    public void Keeps_one_that_adds() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[2,4] y) <int64[4] p = {0, 0, 0, 1}> { y = Pad (x, p) }", new EliminatePad(), "a pad is not 0");

    [Fact]
    public void Keeps_one_that_shifts() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[2,3] y) <int64[4] p = {0, 1, 0, -1}> { y = Pad (x, p) }", new EliminatePad(), "a pad is not 0");

    [Fact]
    public void Keeps_one_with_computed_pads() => PassCheck.Refuses(
        "g (float[2,3] x, int64[4] p) => (float[N,M] y) { y = Pad (x, p) }", new EliminatePad(), "the pads are not known");
}
