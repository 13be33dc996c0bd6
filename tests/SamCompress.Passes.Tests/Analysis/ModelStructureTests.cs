using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Analysis;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Analysis;

/// <summary>The counts that follow from the descriptions of the architectures, on what exporters write and on what clean-up makes of it.</summary>
public sealed class ModelStructureTests
{
    private static readonly StructureCounts None = new()
    {
        Softmax = 0,
        AttentionProducts = 0,
        OtherProducts = 0,
        RelativePositions = 0,
        Linear = 0,
        PositionalCodes = 0,
        LayerNormalizations = 0,
        ChannelNormalizations = 0,
        Gelu = 0,
        Relu = 0,
        Convolutions = 0,
        TransposedConvolutions = 0,
        WindowPads = 0,
        Resize = 0,
    };

    /// <summary>7 attentions with 4 Linears each, 2 MLPs of 2, 4 hyper-networks of 3, an IoU head of 3; 3 convolutions, 2 LN2d and 2 GELUs in the mask branch.</summary>
    private static readonly StructureCounts MaskDecoder = None with
    {
        Softmax = 7,
        AttentionProducts = 14,
        OtherProducts = 1,
        Linear = 28 + 4 + 12 + 3,
        PositionalCodes = 1,
        LayerNormalizations = 9,
        ChannelNormalizations = 1 + 2,
        Gelu = 2 + 2,
        Relu = 2 + 8 + 2,
        Convolutions = 3,
        TransposedConvolutions = 2,
        Resize = 2,
    };

    [Theory]
    [InlineData("sam_b_encoder", 12, 4)]
    [InlineData("sam_b_encoder_dynamo", 12, 4)]
    [InlineData("sam_h_encoder", 32, 4)]
    public void Vision_transformers_have_the_modules_of_their_depth(string name, int depth, int globalBlocks) =>
        AssertStructure(() => SkeletonModels.Open(name), VisionTransformer(depth, globalBlocks));

    /// <summary>A small SAM: 6 blocks, 2 of them global.</summary>
    [Fact]
    public void The_sample_encoder_has_the_modules_of_its_depth() =>
        AssertStructure(() => OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx")), VisionTransformer(6, 2));

    [Fact]
    public void Mask_decoder_has_the_modules_of_its_description() => AssertStructure(() => SkeletonModels.Open("sam_decoder"), MaskDecoder);

    /// <summary>Convolutions: 2 of the stem, 6 of 2 MBConv, 9 of 3 merges, 10 local ones, 2 of the neck. GELU: 1 + 6 + 6 + 10 of MLPs. Windows: 10 blocks.</summary>
    [Fact]
    public void TinyVit_has_the_modules_of_its_description() => AssertStructure(
        () => SkeletonModels.Open("mobilesam_encoder"),
        None with
        {
            Softmax = 10,
            AttentionProducts = 20,
            Linear = 40,
            LayerNormalizations = 20,
            ChannelNormalizations = 2,
            Gelu = 1 + 6 + 6 + 10,
            Convolutions = 2 + 6 + 9 + 10 + 2,
            WindowPads = 10,
        });

    [Fact]
    public void Fused_operators_count_as_the_modules_that_they_are() => AssertStructure(
        """
        agraph (float[1,4,3,3] x, float[1,9,4] q, float[1,9,4] k) => (float[1,4,3,3] y, float[1,9,4] z) <float[4] gamma = {1, 2, 3, 4}, float[4] beta = {1, 2, 3, 4}> {
            last = Transpose<perm = [0,2,3,1]>(x)
            normed = LayerNormalization(last, gamma, beta)
            first = Transpose<perm = [0,3,1,2]>(normed)
            y = com.microsoft.Gelu(first)
            skipped = com.microsoft.SkipLayerNormalization(q, k, gamma, beta)
            hidden = com.microsoft.BiasGelu(skipped, beta)
            z = com.microsoft.MultiHeadAttention<num_heads = 2>(hidden, k, k)
        }
        """,
        None with { Softmax = 1, AttentionProducts = 2, LayerNormalizations = 1, ChannelNormalizations = 1, Gelu = 2 });

    /// <summary>Near misses: one transpose is no map, a product that nothing links with another is no attention, tanh alone is no GELU, a crop of another size undoes no padding.</summary>
    [Fact]
    public void What_only_resembles_a_module_is_not_counted_as_one() => AssertStructure(
        """
        agraph (float[1,4,3,3] x, float[1,3,3,4] w) => (y, p, t, c) <float[4] gamma = {1, 2, 3, 4}, int64[8] pads = {0, 0, 0, 0, 0, 2, 2, 0}, int64[2] from = {0, 0}, int64[2] to = {4, 4}, int64[2] axes = {1, 2}> {
            last = Transpose<perm = [0,2,3,1]>(x)
            y = LayerNormalization(last, gamma, gamma)
            p = MatMul(x, x)
            t = Tanh(x)
            padded = Pad(w, pads)
            c = Slice(padded, from, to, axes)
        }
        """,
        None with { LayerNormalizations = 1, OtherProducts = 1 });

    [Fact]
    public void Linear_attention_has_products_and_no_softmax() => AssertStructure(
        """
        agraph (float[2,9,4] q, float[2,4,9] k, float[2,9,5] v) => (y) {
            a = Relu(q)
            b = Relu(k)
            sums = MatMul(b, v)
            y = MatMul(a, sums)
        }
        """,
        None with { AttentionProducts = 2, Relu = 2 });

    private static StructureCounts VisionTransformer(int depth, int globalBlocks) => None with
    {
        Softmax = depth,
        AttentionProducts = 2 * depth,
        RelativePositions = 2 * depth,
        Linear = 4 * depth,
        LayerNormalizations = 2 * depth,
        ChannelNormalizations = 2,
        Gelu = depth,
        Convolutions = 3,
        WindowPads = depth - globalBlocks,
    };

    private static void AssertStructure(string text, StructureCounts expected) => AssertStructure(() => ModelText.Parse(text, opset: 17), expected);

    private static void AssertStructure(Func<Model> open, StructureCounts expected)
    {
        using Model model = open();
        ShapeInference.Infer(model);
        Assert.Equal(expected, ModelStructure.Count(model));

        new PassPipeline(StandardPipeline.Cleanup).Run(model, PassCheck.Context());
        Assert.Equal(expected, ModelStructure.Count(model));
    }
}
