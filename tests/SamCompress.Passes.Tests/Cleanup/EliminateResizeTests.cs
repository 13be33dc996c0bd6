using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateResizeTests
{
    [Theory]
    [InlineData("cubic", "half_pixel")]
    [InlineData("linear", "half_pixel")]
    [InlineData("linear", "align_corners")]
    [InlineData("nearest", "asymmetric")]
    public void Removes_a_resize_to_the_same_size(string mode, string coordinates) => Snapshot.Match(
        PassCheck.Apply(
            $$"""
            g (float[1,2,5,4] x) => (float[1,2,5,4] y) <int64[4] s = {1, 2, 5, 4}>
            { a = Resize <mode = "{{mode}}", coordinate_transformation_mode = "{{coordinates}}"> (x, , , s) y = Relu (a) }
            """,
            new EliminateResize()),
        $"{mode}-{coordinates}");

    [Fact]
    public void Removes_a_resize_with_scales_of_one() => Snapshot.Match(PassCheck.Apply(
        "g (float[1,2,5,4] x) => (float[1,2,5,4] y) <float[4] s = {1, 1, 1, 1}> { a = Resize <mode = \"linear\"> (x, , s) y = Relu (a) }", new EliminateResize()));

    [Fact]
    public void Keeps_one_that_changes_the_size() => PassCheck.Refuses(
        "g (float[1,2,5,4] x) => (float[1,2,10,4] y) <int64[4] s = {1, 2, 10, 4}> { y = Resize <mode = \"linear\"> (x, , , s) }", new EliminateResize(),
        "changes the size, or it is not known");

    [Fact]
    public void Keeps_one_whose_scale_only_rounds_to_the_same_size() => PassCheck.Refuses(
        "g (float[1,2,5,4] x) => (float[1,2,5,4] y) <float[4] s = {1, 1, 1.1, 1}> { y = Resize <mode = \"linear\"> (x, , s) }", new EliminateResize(),
        "a scale is not 1");

    [Fact]
    public void Keeps_one_that_crops() => PassCheck.Refuses(
        """
        g (float[1,2,5,4] x) => (float[1,2,5,4] y) <int64[4] s = {1, 2, 5, 4}, float[8] roi = {0, 0, 0, 0, 1, 1, 0.5, 1}>
        { y = Resize <mode = "linear", coordinate_transformation_mode = "tf_crop_and_resize"> (x, roi, , s) }
        """,
        new EliminateResize(),
        "crops or shifts the samples");
}
