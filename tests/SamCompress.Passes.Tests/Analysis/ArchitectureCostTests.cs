using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Tests.Analysis.Architectures;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Analysis;

/// <summary>
/// What every architecture costs, from its description. Where there is an export too, it holds the description to it.
/// </summary>
public sealed class ArchitectureCostTests
{
    private static readonly Dictionary<string, VisionTransformer> Transformers = new()
    {
        ["ViT-B"] = new(768, 12, 12, 768, 3072, [2, 5, 8, 11]),
        ["ViT-L"] = new(1024, 24, 16, 1024, 4096, [5, 11, 17, 23]),
        ["ViT-H"] = new(1280, 32, 16, 1280, 5120, [7, 15, 23, 31]),
        ["SlimSAM-50"] = new(384, 12, 12, 384, 1536, [2, 5, 8, 11]),
        ["SlimSAM-77"] = new(168, 12, 12, 168, 696, [2, 5, 8, 11]),
        ["50 % after step 1"] = new(384, 12, 12, 768, 3072, [2, 5, 8, 11]),
        ["77 % after step 1"] = new(168, 12, 12, 768, 3072, [2, 5, 8, 11]),
    };

    private static readonly Dictionary<string, EfficientVit> EfficientVits = new()
    {
        ["L0"] = Large([1, 1, 1, 4, 4], neckDepth: 4),
        ["L1"] = Large([1, 1, 1, 6, 6], neckDepth: 8),
        ["L2"] = Large([1, 2, 2, 8, 8], neckDepth: 12),
        ["XL0"] = ExtraLarge([0, 1, 1, 2, 3, 3], neckDepth: 6),
        ["XL1"] = ExtraLarge([1, 2, 2, 4, 6, 6], neckDepth: 12),
    };

    [Theory]
    [InlineData("ViT-B", 89_670_912, 368.70, 114.88, 2.45)]
    [InlineData("ViT-L", 308_278_272, 1311.11, 176.78, 4.96)]
    [InlineData("ViT-H", 637_026_048, 2732.30, 240.64, 7.60)]
    [InlineData("SlimSAM-50", 23_897_216, 94.79, 57.44, 1.23)]
    [InlineData("SlimSAM-77", 5_658_968, 20.89, 25.13, 0.54)]
    [InlineData("50 % after step 1", 45_209_472, 185.56, 114.88, 2.45)]
    [InlineData("77 % after step 1", 20_199_912, 82.54, 114.88, 2.45)]
    public void Transformers_cost_what_their_description_says(string name, long parameters, double linear, double attention, double relativePosition)
    {
        using Model model = Transformers[name].Build();
        AssertCost(CostModel.Measure(model), parameters, linear, attention, relativePosition);
    }

    [Theory]
    [InlineData("L0", 30_728_224, 34.71, 0.07)]
    [InlineData("L1", 43_585_568, 48.88, 0.10)]
    [InlineData("L2", 57_264_032, 68.42, 0.14)]
    [InlineData("XL0", 112_893_344, 184.49, 0.31)]
    [InlineData("XL1", 199_281_568, 321.25, 0.62)]
    public void EfficientVits_cost_what_their_description_says(string name, long parameters, double linear, double attention)
    {
        using Model model = EfficientVits[name].Build();
        AssertCost(CostModel.Measure(model), parameters, linear, attention, 0);
    }

    [Theory]
    [InlineData("ViT-B", "sam_b_encoder")]
    [InlineData("ViT-H", "sam_h_encoder")]
    public void A_described_transformer_is_the_exported_one(string name, string skeleton)
    {
        using Model described = Transformers[name].Build();
        using Model exported = Skeleton(skeleton);

        Assert.Equal(CostModel.Measure(exported).Macs, CostModel.Measure(described).Macs);
        Assert.Equal(CostModel.Measure(exported).Parameters, CostModel.Measure(described).Parameters);
        Assert.Equal(ModelStructure.Count(exported), ModelStructure.Count(described));
    }

    [Fact]
    public void A_described_EfficientVit_is_the_exported_one()
    {
        using Model described = EfficientVits["L0"].Build();
        using Model exported = Skeleton("efficientvit_sam_l0_encoder");

        Assert.Equal(CostModel.Measure(exported).Macs, CostModel.Measure(described).Macs);
        StructureCounts counts = ModelStructure.Count(exported);
        Assert.Equal(counts, ModelStructure.Count(described));
        Assert.Equal((0, 8, 30, 69), (counts.Softmax, counts.AttentionProducts, counts.Gelu, counts.Convolutions));
    }

    /// <summary>Papers on EfficientViT-SAM print linear and attention operations of the encoder, in whole G.</summary>
    [Theory]
    [InlineData("L0", 35)]
    [InlineData("L1", 49)]
    [InlineData("L2", 69)]
    [InlineData("XL0", 185)]
    [InlineData("XL1", 322)]
    public void EfficientVits_round_to_what_is_published(string name, double published)
    {
        using Model model = EfficientVits[name].Build();
        MacCounts macs = CostModel.Measure(model).Macs;
        Assert.Equal(published, Math.Round((macs.Linear + macs.Attention) / 1e9));
    }

    [Fact]
    public void ViT_H_rounds_to_what_is_published_beside_EfficientVits()
    {
        using Model model = Transformers["ViT-H"].Build();
        MacCounts macs = CostModel.Measure(model).Macs;
        Assert.Equal(2973, Math.Round((macs.Linear + macs.Attention) / 1e9));
    }

    /// <summary>SlimSAM's paper counts modules, so nothing of attention, of the whole model; its counter also counts
    /// what we do not, normalizations and activations: up to 2 G, and half a G of rounding.</summary>
    [Theory]
    [InlineData("ViT-B", 372)]
    [InlineData("ViT-L", 1315)]
    [InlineData("ViT-H", 2736)]
    [InlineData("SlimSAM-50", 98)]
    [InlineData("SlimSAM-77", 23)]
    public void Linear_operations_are_at_most_2_G_below_what_SlimSAM_publishes(string name, double published)
    {
        const double maskDecoder = 1.81;
        using Model model = Transformers[name].Build();
        Assert.InRange(published - maskDecoder - (CostModel.Measure(model).Macs.Linear / 1e9), 0, 2 + 0.5);
    }

    /// <summary>
    /// 4,058,340 of the mask decoder, 6,220 of the prompt encoder and its fixed table [2,128]. With one point and one that pads, the decoder sees 7 tokens.
    /// Its branch for a mask is the only one with convolutions.
    /// </summary>
    [Fact]
    public void The_mask_decoder_costs_what_its_description_says()
    {
        using Model model = SkeletonModels.Open("sam_decoder");
        foreach (Value input in model.Graph.Inputs.Where(i => i.Name is "point_coords" or "point_labels"))
            input.Shape = input.Name == "point_coords" ? Shape.Of(1, 2, 2) : Shape.Of(1, 2);
        ShapeInference.Infer(model);
        Assert.Equal(4_058_340 + 6_220 + (2 * 128), CostModel.Measure(model).Parameters);
        new PassPipeline(StandardPipeline.Cleanup).Run(model, PassCheck.Context());

        ModelCost cost = CostModel.Measure(model);

        Assert.Empty(cost.Uncounted);
        long maskBranch = cost.Nodes.Where(n => n.OpType == "Conv").Sum(n => n.Macs);
        Assert.Equal(0.018, Math.Round(maskBranch / 1e9, 3));
        Assert.Equal(1.811, Math.Round((cost.Macs.Total - maskBranch) / 1e9, 3));
    }

    private static void AssertCost(ModelCost cost, long parameters, double linear, double attention, double relativePosition)
    {
        Assert.Empty(cost.Uncounted);
        Assert.Equal(parameters, cost.Parameters);
        Assert.Equal(cost.Parameters, cost.Nodes.Sum(n => n.Parameters));
        Assert.Equal(linear, Math.Round(cost.Macs.Linear / 1e9, 2));
        Assert.Equal(attention, Math.Round(cost.Macs.Attention / 1e9, 2));
        Assert.Equal(relativePosition, Math.Round(cost.Macs.RelativePosition / 1e9, 2));
    }

    private static Model Skeleton(string name)
    {
        Model model = OnnxReader.Read(SkeletonModels.SkeletonPath(name), new ReadOptions { AllowMissingData = true });
        ShapeInference.Infer(model);
        return model;
    }

    private static EfficientVit Large(int[] depths, int neckDepth) => new(
        512,
        [
            new(32, depths[0], Block.Residual, 1),
            new(64, depths[1], Block.FusedMb, 4),
            new(128, depths[2], Block.FusedMb, 4),
            new(256, depths[3], Block.Mb, 4, FewerNorm: true),
            new(512, depths[4], Block.Attention, 6, FewerNorm: true, Scale: 5),
        ],
        neckDepth,
        1);

    private static EfficientVit ExtraLarge(int[] depths, int neckDepth) => new(
        1024,
        [
            new(32, depths[0], Block.Residual, 1),
            new(64, depths[1], Block.FusedMb, 4),
            new(128, depths[2], Block.FusedMb, 4),
            new(256, depths[3], Block.FusedMb, 4),
            new(512, depths[4], Block.Attention, 4, FewerNorm: true, Scale: 3),
            new(1024, depths[5], Block.Attention, 6, FewerNorm: true, Scale: 3),
        ],
        neckDepth,
        4);
}
