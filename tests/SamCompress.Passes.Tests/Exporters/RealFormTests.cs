using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Passes.Rewriting;
using SamCompress.Passes.Targets;
using SamCompress.Passes.Tests.Equalization;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Exporters;

/// <summary>
/// Rules on what exporters really write: a block is cut out of the cleaned graph of a whole model, goes through what comes before the rule, and is shown before and
/// behind it. Names of values lose their block.
/// </summary>
public sealed class RealFormTests
{
    /// <summary>What the issue asks of exact rewrites, relative to the largest element of an output.</summary>
    private const double MaxRelative = 1e-4;

    private const string LiteMla = "/backbone/stages.4/op_list.1/context_module/main/";

    private static readonly TargetDescription Target = TargetDescription.Load("ort-cpu");

    private static readonly AttentionSelection First = new([0]);

    // Places in the graphs.
    private static readonly Region SamWindow = new("sam_b_encoder", "/blocks.0/", ["/Add_output_0"], ["/blocks.0/Add_2_output_0"]);
    private static readonly Region SamGlobal = new("sam_b_encoder", "/blocks.2/", ["/blocks.1/Add_3_output_0"], ["/blocks.2/Add_output_0"]);
    private static readonly Region SamMlp = new("sam_b_encoder", "/blocks.0/mlp/", ["/blocks.0/norm2/LayerNormalization_output_0"], ["/blocks.0/mlp/lin2/Add_output_0"]);
    private static readonly Region SamNeck = new("sam_b_encoder", "/neck/neck.1/", ["/neck/neck.0/Conv_output_0"], ["/neck/neck.1/Add_1_output_0"]);
    private static readonly Region DynamoWindow = new("sam_b_encoder_dynamo", "", ["add"], ["add_5"]);
    private static readonly Region DynamoGlobal = new("sam_b_encoder_dynamo", "", ["add_12"], ["add_17"]);
    private static readonly Region DynamoMlp = new("sam_b_encoder_dynamo", "", ["layer_norm_1"], ["linear_3"]);
    private static readonly Region DynamoNeck = new("sam_b_encoder_dynamo", "", ["conv2d_2"], ["image_embeddings"]);
    private static readonly Region TinyViT = new("mobilesam_encoder", "/layers.1/blocks.0/", ["/layers.0/downsample/conv3/c/Conv_output_0"], ["/layers.1/blocks.0/Add_output_0"]);
    private static readonly Region TinyViTMlp = new("mobilesam_encoder", "/layers.1/blocks.0/", ["/layers.1/blocks.0/local_conv/c/Conv_output_0"], ["/layers.1/blocks.0/mlp/fc2/Add_output_0"]);
    private static readonly Region EfficientSam = new("efficientsam_ti_encoder", "/blocks.0/", ["/Reshape_output_0"], ["/blocks.0/Add_output_0"]);
    private static readonly Region EfficientViTGelu = new("efficientvit_sam_l0_encoder", "/backbone/stages.4/op_list.0/main/depth_conv/", ["/backbone/stages.4/op_list.0/main/depth_conv/conv/Conv_output_0"], ["/backbone/stages.4/op_list.0/main/depth_conv/act/Mul_5_output_0"]);
    private static readonly Region EfficientViTNorm = new("efficientvit_sam_l0_encoder", "/norm/", ["/neck/output_ops.0/op_list.0/conv/Conv_output_0"], ["image_embeddings"]);
    private static readonly Region EfficientViTAttention = new("efficientvit_sam_l0_encoder", LiteMla, [LiteMla + "qkv/conv/Conv_output_0"], [LiteMla + "proj/conv/Conv_output_0"]);
    private static readonly Region DecoderNorm = new("sam_decoder", "/output_upscaling/", ["/output_upscaling/output_upscaling.0/ConvTranspose_output_0"], ["/output_upscaling/output_upscaling.1/Add_1_output_0"]);
    private static readonly Region DecoderMaskNorm = new("sam_decoder", "/mask_downscaling/", ["/mask_downscaling/mask_downscaling.0/Conv_output_0"], ["/mask_downscaling/mask_downscaling.1/Add_1_output_0"]);
    private static readonly Region DecoderSelf = new("sam_decoder", "/transformer/layers.0/", ["/Concat_2_output_0"], ["/transformer/layers.0/norm1/LayerNormalization_output_0"]);
    private static readonly Region DecoderCross = new("sam_decoder", "/transformer/layers.0/", ["/transformer/layers.0/Add_output_0", "/transformer/layers.0/Add_1_output_0", "/transformer/Transpose_output_0", "/transformer/layers.0/norm1/LayerNormalization_output_0"], ["/transformer/layers.0/norm2/LayerNormalization_output_0"]);
    private static readonly Region NanoGlobal = new("sam-nano/encoder", "/blocks.2/", ["/blocks.1/Add_3_output_0"], ["/blocks.2/Add_output_0"]);
    private static readonly Region NanoBlock = new("sam-nano/encoder", "/blocks.2/", ["/blocks.1/Add_3_output_0"], ["/blocks.2/Add_1_output_0"]);

    private static readonly Dictionary<string, Case> Cases = new(StringComparer.Ordinal)
    {
        ["MergeMovements.sam_b_global"] = new(SamGlobal, [], new Rewriter(new MergeReshapes(), new MergeMovements())) { IsCleaned = false, Runs = false },
        ["MergeMovements.mobilesam"] = new(TinyViT, [], new Rewriter(new MergeReshapes(), new MergeMovements())) { IsCleaned = false },

        ["FuseLayerNormalization.sam_b"] = Fusion(SamNeck),
        ["FuseLayerNormalization.sam_b_dynamo"] = Fusion(DynamoNeck),
        ["FuseLayerNormalization.efficientvit"] = Fusion(EfficientViTNorm),
        ["FuseLayerNormalization.decoder"] = Fusion(DecoderNorm),
        ["FuseGelu.sam_b"] = Fusion(SamMlp),
        ["FuseGelu.sam_b_dynamo"] = Fusion(DynamoMlp),
        ["FuseGelu.mobilesam"] = Fusion(TinyViTMlp),
        ["FuseGelu.efficientvit"] = Fusion(EfficientViTGelu),

        ["FuseAttention.sam_b_window"] = ForTarget(SamWindow, "fuse-attention"),
        ["FuseAttention.sam_b_global"] = ForTarget(SamGlobal, "fuse-attention") with { Runs = false },
        ["FuseAttention.sam_b_dynamo_window"] = ForTarget(DynamoWindow, "fuse-attention"),
        ["FuseAttention.mobilesam"] = ForTarget(TinyViT, "fuse-attention"),
        ["FuseAttention.efficientsam"] = ForTarget(EfficientSam, "fuse-attention"),
        ["FuseAttention.nano_global"] = ForTarget(NanoGlobal, "fuse-attention"),
        ["FlattenTokens.mobilesam"] = ForTarget(TinyViTMlp, "flatten-tokens"),
        ["FlattenTokens.nano"] = ForTarget(NanoBlock, "flatten-tokens"),
        ["FuseGemm.nano"] = ForTarget(NanoBlock, "fuse-gemm"),
        ["FuseGemm.mobilesam"] = ForTarget(TinyViTMlp, "fuse-gemm"),
        ["FuseSkipLayerNormalization.nano"] = ForTarget(NanoBlock, "fuse-skip-layer-normalization"),
        ["FuseSkipLayerNormalization.decoder"] = ForTarget(DecoderCross, "fuse-skip-layer-normalization"),
        ["FuseMatMulTranspose.nano"] = ForTarget(NanoGlobal, "fuse-mat-mul-transpose"),

        ["FoldRelativePosition.sam_b_global"] = new(SamGlobal, [], new FoldRelativePosition(First)) { Runs = false },
        ["FoldRelativePosition.sam_b_dynamo_global"] = new(DynamoGlobal, [], new FoldRelativePosition(First)) { Runs = false },
        ["FoldRelativePosition.nano"] = new(NanoGlobal, [], new FoldRelativePosition(First)),
        ["DilateAttention.sam_b_2d"] = new(SamGlobal, [], new DilateAttention(First, 2)) { IsExact = false },
        ["DilateAttention.sam_b_1d"] = new(SamGlobal, [], new DilateAttention(First, 2, 512)) { IsExact = false },
        ["DilateAttention.efficientsam_2d"] = new(EfficientSam, [], new DilateAttention(First, 4)) { IsExact = false },
        ["LinearizeAttention.sam_b"] = new(SamGlobal, [], new LinearizeAttention(First)) { IsExact = false },
        ["LinearizeAttention.efficientsam"] = new(EfficientSam, [], new LinearizeAttention(First)) { IsExact = false },
    };

    public static TheoryData<string> Names { get; } = [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Rewrites(string name)
    {
        Case c = Cases[name];
        using Model whole = Open(c);
        using Model before = c.Region.Cut(whole);
        new PassPipeline(c.Before).Run(before, PassCheck.Context());
        using Model after = ModelCopy.Of(before);
        Snapshot.Match(Rewrite(c, before, after, [c.Pass, new EliminateDeadNodes(), new EliminateUnusedInitializers()]), name);
    }

    /// <summary>The basis of a spectrum in which all directions are alike.</summary>
    [Fact]
    public void Reduces_relative_positions()
    {
        var c = new Case(NanoGlobal, StandardPipeline.Rewrite(new FoldRelativePosition(First)), new EliminateDeadNodes()) { IsExact = false };
        using Model whole = Open(c);
        using Model before = c.Region.Cut(whole);
        new PassPipeline(c.Before).Run(before, PassCheck.Context());
        using Model after = ModelCopy.Of(before);
        var reduce = new ReduceRelativePosition(First, Statistics(before), rank: 16);
        Snapshot.Match(Rewrite(c, before, after, StandardPipeline.Rewrite(reduce)));
    }

    public static TheoryData<string, string> Refusals { get; } = new()
    {
        { "FuseLayerNormalization.decoder_mask", "4 channels are too few to pay for the Transposes" },
        { "FuseAttention.decoder_self", "query, key and value are not columns of one Linear" },
        { "FuseAttention.decoder_cross", "query, key and value are not columns of one Linear" },
        { "FuseAttention.efficientvit", "" },
    };

    /// <summary>What looks alike and is left as it is, with its reason.</summary>
    [Theory]
    [MemberData(nameof(Refusals))]
    public void Leaves_alone(string name, string reason)
    {
        Case c = name switch
        {
            "FuseLayerNormalization.decoder_mask" => Fusion(DecoderMaskNorm),
            "FuseAttention.decoder_self" => ForTarget(DecoderSelf, "fuse-attention"),
            "FuseAttention.decoder_cross" => ForTarget(DecoderCross, "fuse-attention"),
            _ => ForTarget(EfficientViTAttention, "fuse-attention"),
        };
        using Model whole = Open(c);
        using Model model = c.Region.Cut(whole);
        string before = ModelText.Print(model);
        PassContext context = PassCheck.Context();
        Assert.Equal(0, c.Pass.Apply(model, context));
        Assert.Equal(before, ModelText.Print(model));
        string[] reasons = [.. context.NearestMisses.Values.Select(m => m.Reason), .. context.Diagnostics.Select(d => d.Message)];
        if (reason.Length == 0)
            Assert.Empty(reasons); // there is no Softmax to look at
        else
            Assert.Contains(reasons, r => r.EndsWith(reason, StringComparison.Ordinal));
    }

    private static Model Open(Case c)
    {
        Model model = ExporterModels.Open(c.Region.Model);
        IEnumerable<Pass> cleanup = c.IsCleaned ? StandardPipeline.Cleanup : StandardPipeline.Cleanup.TakeWhile(p => p.Name != "eliminate-no-ops");
        new PassPipeline(cleanup).Run(model, PassCheck.Context());
        return model;
    }

    private static string Rewrite(Case c, Model before, Model after, IReadOnlyList<Pass> passes)
    {
        IReadOnlyList<PassRecord> records = new PassPipeline(passes).Run(after, PassCheck.Context());
        Assert.True(records[0].Changes > 0, "nothing was changed");
        if (c is { IsExact: true, Runs: true })
            NumericAssert.Close(before, after, MaxRelative);
        return $"before:\n{ModelText.Print(before)}\nafter, {records[0].Changes} changed:\n{ModelText.Print(after)}";
    }

    /// <summary>Normalizations and Gelu: the first pass of fusion, whose rules are told apart by the region.</summary>
    private static Case Fusion(Region region) => new(region, [], StandardPipeline.Fusion(Target)[0]);

    private static Case ForTarget(Region region, string pass)
    {
        Pass[] order = [.. StandardPipeline.Fusion(Target), .. StandardPipeline.FuseForTarget(Target)];
        return new Case(region, [.. order.TakeWhile(p => p.Name != pass)], order.Single(p => p.Name == pass));
    }

    private static CalibrationStatistics Statistics(Model folded)
    {
        ObservedValue observed = Assert.Single(ReduceRelativePosition.RequestedStatistics(folded, First));
        int n = observed.Channels;
        float[] gram = [.. Enumerable.Range(0, n * n).Select(i => i / n == i % n ? 1f : 0)];
        ValueStatistics value = EqualizationCheck.Value(observed.Name, -1, [.. Enumerable.Repeat((-1f, 1f), n)]) with
        {
            Samples = new ActivationSamples(n, new float[n], [.. Enumerable.Repeat(1f, n)], gram, new float[n]),
        };
        return EqualizationCheck.Statistics(value);
    }

    /// <param name="Model">Of <see cref="ExporterModels"/>.</param>
    /// <param name="Prefix">Taken away from the names in it.</param>
    private sealed record Region(string Model, string Prefix, string[] From, string[] To)
    {
        public Model Cut(Model whole) => GraphRegion.Cut(whole, From, To, Prefix);
    }

    /// <param name="Before">What comes before the pass, behind cleanup.</param>
    private sealed record Case(Region Region, IReadOnlyList<Pass> Before, Pass Pass)
    {
        public bool IsCleaned { get; init; } = true;

        /// <summary>Whether both compute the same.</summary>
        public bool IsExact { get; init; } = true;

        /// <summary>False where logits of 4096 tokens would take gigabytes; whole models are compared elsewhere.</summary>
        public bool Runs { get; init; } = true;
    }
}
