using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Rewriting;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;
using Xunit.Abstractions;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class LowerConvTransposeToMatMulTests(ITestOutputHelper output)
{
    private static readonly Dictionary<string, Array> DecoderInputs = new()
    {
        ["point_coords"] = new float[] { 10, 20, 100, 120, 0, 0 },
        ["point_labels"] = new float[] { 1, 0, -1 },
        ["has_mask_input"] = new float[] { 1 },
        ["orig_im_size"] = new float[] { 48, 64 },
    };

    [Fact]
    public void Upscaling_becomes_a_multiplication_for_each_pixel() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[1,2,2,3] x) => (float[1,3,4,6] y)
        <float[2,3,2,2] w = {1,2,3,4,5,6,7,8,9,10,11,12,-1,-2,-3,-4,-5,-6,-7,-8,1,0,1,0}, float[3] b = {1, 2, 3}>
        {
            y = ConvTranspose <strides = [2, 2], kernel_shape = [2, 2]> (x, w, b)
        }
        """,
        new LowerConvTransposeToMatMul(),
        maxRelative: 1e-6));

    /// <summary>The result is read twice and is an output as well; the batch is not known, and the kernel is no square.</summary>
    [Fact]
    public void A_shared_result_of_any_batch_is_lowered_too() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[B,2,2,3] x) => (float[B,1,2,9] c, float[B,1,2,9] y, float[B,1,2,9] z)
        <float[2,1,1,3] w = {1,2,3,4,5,6}>
        {
            c = ConvTranspose <strides = [1, 3], kernel_shape = [1, 3]> (x, w)
            y = Relu (c)
            z = Neg (c)
        }
        """,
        new LowerConvTransposeToMatMul(),
        maxRelative: 1e-6));

    [Theory]
    [InlineData("c = ConvTranspose <strides = [1, 1], kernel_shape = [2, 2]> (x, w)", "its kernels overlap or leave gaps")]
    [InlineData("c = ConvTranspose <strides = [3, 3], kernel_shape = [2, 2]> (x, w)", "its kernels overlap or leave gaps")]
    [InlineData("c = ConvTranspose <strides = [2, 2], dilations = [2, 2], kernel_shape = [2, 2]> (x, w)", "its kernels overlap or leave gaps")]
    [InlineData("c = ConvTranspose <strides = [2, 2], kernel_shape = [2, 2], pads = [1, 1, 1, 1]> (x, w)", "it pads or cuts its output")]
    [InlineData("c = ConvTranspose <strides = [2, 2], kernel_shape = [2, 2], output_padding = [1, 1]> (x, w)", "it pads or cuts its output")]
    [InlineData("c = ConvTranspose <strides = [2, 2], kernel_shape = [2, 2], output_shape = [8, 8]> (x, w)", "it pads or cuts its output")]
    [InlineData("c = ConvTranspose <strides = [2, 2], kernel_shape = [2, 2], auto_pad = \"SAME_UPPER\"> (x, w)", "it pads or cuts its output")]
    [InlineData("c = ConvTranspose <strides = [2, 2], kernel_shape = [2, 2]> (x, w, d)", "its bias is not constant")]
    [InlineData("c = ConvTranspose <strides = [2, 2], kernel_shape = [2, 2], group = 2> (x, w)", "no two-dimensional float convolution of one group")]
    public void Keeps_other_deconvolutions(string conv, string reason) => PassCheck.Refuses(
        $$"""
        g (float[1,2,4,4] x, float[2] d) => (float[1,?,?,?] y)
        <float[2,2,2,2] w = {1,2,3,4,5,6,7,8,1,2,3,4,5,6,7,8}>
        {
            {{conv}}
            y = Relu (c)
        }
        """,
        new LowerConvTransposeToMatMul(),
        reason);

    [Fact]
    public void Keeps_a_deconvolution_of_unknown_size() => PassCheck.Refuses(
        "g (float[1,1,H,2] x) => (float[1,?,?,?] y) <float[1,1,2,2] w = {1,2,3,4}> { y = ConvTranspose <strides = [2, 2]> (x, w) }",
        new LowerConvTransposeToMatMul(),
        "the size of its input is not known");

    [Theory]
    [InlineData("models/sam-nano/decoder.onnx")]
    [InlineData("sam_decoder")]
    public void Mask_decoders_compute_the_same(string name)
    {
        using Model before = Cleaned(name), after = Cleaned(name);
        Assert.Equal(2, new Rewriter(new LowerConvTransposeToMatMul()).Apply(after, PassCheck.Context()));
        after.Graph.RemoveUnusedInitializers();
        Assert.DoesNotContain(after.Graph.Nodes, n => n.OpType == "ConvTranspose");

        foreach ((string value, double difference) in NumericAssert.Close(before, after, 1e-6, DecoderInputs, GraphOptimization.Basic))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{value}: {difference}"));
    }

    private static Model Cleaned(string name)
    {
        Model model = name.Contains('/', StringComparison.Ordinal) ? OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, name)) : SkeletonModels.Open(name);
        new PassPipeline(StandardPipeline.Cleanup).Run(model, PassCheck.Context());
        return model;
    }
}
