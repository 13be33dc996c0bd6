using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateDropoutTests
{
    [Fact]
    public void Removes_a_dropout_at_inference() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,3] x) => (float[2,3] y) <float ratio = {0.5}, bool training = {0}>
        { a = Dropout (x) b = Dropout (a, ratio, training) y = Relu (b) }
        """,
        new EliminateDropout()));

    [Fact]
    public void Keeps_one_whose_mask_is_used() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[2,3] y, bool[2,3] m) { y, m = Dropout (x) }", new EliminateDropout(), "'m' is used outside the match");

    [Fact]
    public void Keeps_one_that_may_be_training() => PassCheck.Refuses(
        "g (float[2,3] x, bool t) => (float[2,3] y) <float ratio = {0.5}> { a = Dropout (x, ratio, t) y = Relu (a) }", new EliminateDropout(),
        "is not known to be in inference mode");

    [Fact]
    public void Keeps_one_that_is_training() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[2,3] y) { a = Dropout (x) y = Relu (a) }", new EliminateDropout(), "is in training mode", opset: 6);
}
