using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateTileTests
{
    [Fact]
    public void Removes_a_tile_that_repeats_once() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[2,3] y) <int64[2] r = {1, 1}> { a = Tile (x, r) y = Relu (a) }", new EliminateTile()));

    [Fact]
    public void Keeps_one_that_repeats() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[4,3] y) <int64[2] r = {2, 1}> { y = Tile (x, r) }", new EliminateTile(), "an axis is repeated");

    [Fact]
    public void Keeps_one_with_computed_repeats() => PassCheck.Refuses(
        "g (float[2,3] x, int64[2] r) => (float[N,M] y) { y = Tile (x, r) }", new EliminateTile(), "the repeats are not known");
}
