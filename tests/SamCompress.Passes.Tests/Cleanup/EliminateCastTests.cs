using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateCastTests
{
    [Fact]
    public void Removes_a_cast_to_the_same_type() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[2,3] y) { a = Cast <to = 1> (x) y = Relu (a) }", new EliminateCast()));

    [Fact]
    public void Keeps_a_cast_to_another_type() => PassCheck.Refuses(
        "g (float[2,3] x) => (int64[2,3] y) { y = Cast <to = 7> (x) }", new EliminateCast(), "changes the element type");
}
