using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Rewriting;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class LowerConvToMatMulTests
{
    private static Rewriter Pass => new("lower", [new LowerConvToMatMul(), new MergeTransposes(), new EliminateTranspose()]);

    [Fact]
    public void Patch_embedding_becomes_a_multiplication_of_patches() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[1,2,4,6] x) => (float[1,2,3,3] y)
        <float[3,2,2,2] w = {1,2,3,4,5,6,7,8,-1,-2,-3,-4,-5,-6,-7,-8,1,0,1,0,1,0,1,0}, float[3] b = {1, 2, 3}>
        {
            c = Conv <strides = [2, 2], kernel_shape = [2, 2]> (x, w, b)
            y = Transpose <perm = [0, 2, 3, 1]> (c)
        }
        """,
        Pass,
        maxRelative: 1e-6));

    [Fact]
    public void Pointwise_convolution_behind_channels_last_multiplies_them_as_they_are() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[1,2,2,3] x) => (float[1,2,2,2] y)
        <float[2,3,1,1] w = {1,2,3,4,5,6}>
        {
            t = Transpose <perm = [0, 3, 1, 2]> (x)
            c = Conv (t, w)
            y = Relu (c)
        }
        """,
        Pass,
        maxRelative: 1e-6));

    [Theory]
    [InlineData("c = Conv <strides = [1, 1], kernel_shape = [2, 2]> (x, w)", "its kernels overlap or leave gaps")]
    [InlineData("c = Conv <strides = [2, 2], kernel_shape = [2, 2], pads = [0, 0, 2, 2]> (x, w)", "it pads its input")]
    [InlineData("c = Conv <strides = [2, 2], kernel_shape = [2, 2], auto_pad = \"SAME_UPPER\"> (x, w)", "it pads its input")]
    [InlineData("c = Conv <strides = [2, 2], kernel_shape = [2, 2]> (x, w, d)", "its bias is not constant")]
    [InlineData("c = Conv <strides = [2, 2], kernel_shape = [2, 2], group = 2> (x, v)", "no two-dimensional float convolution of one group")]
    public void Keeps_other_convolutions(string conv, string reason) => PassCheck.Refuses(
        $$"""
        g (float[1,2,4,4] x, float[2] d) => (float[1,?,?,2] y)
        <float[2,2,2,2] w = {1,2,3,4,5,6,7,8,1,2,3,4,5,6,7,8}, float[2,1,2,2] v = {1,2,3,4,5,6,7,8}>
        {
            {{conv}}
            y = Transpose <perm = [0, 2, 3, 1]> (c)
        }
        """,
        new LowerConvToMatMul(),
        reason);

    [Fact]
    public void Keeps_a_convolution_without_a_transpose_beside_it() => PassCheck.Refuses(
        "g (float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {2}> { c = Conv (x, w) y = Relu (c) }",
        new LowerConvToMatMul(),
        "no Transpose beside it would go away");

    [Fact]
    public void Keeps_a_convolution_of_unknown_size() => PassCheck.Refuses(
        "g (float[1,1,H,2] x) => (float[1,?,2,1] y) <float[1,1,1,1] w = {2}> { c = Conv (x, w) y = Transpose <perm = [0, 2, 3, 1]> (c) }",
        new LowerConvToMatMul(),
        "the size of its input is not known, or no multiple of its kernel");
}
