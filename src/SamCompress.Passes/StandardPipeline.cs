using SamCompress.Passes.Attention;
using SamCompress.Passes.Batching;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Fusion;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Rewriting;
using SamCompress.Passes.Targets;

namespace SamCompress.Passes;

/// <summary>The order of the passes, with the reason for each place that matters.</summary>
public static class StandardPipeline
{
    /// <summary>Turns an exporter's graph into a readable one that computes the same.</summary>
    public static IReadOnlyList<Pass> Cleanup { get; } =
    [
        new RaiseIrVersion(), // the passes make initializers
        new SortNodes(), // all that follows reads nodes in order
        new EliminateDeadNodes(), // what nothing reads is not worth folding
        new FoldConstantNodes(), // so that "constant" means "initializer" from here on
        new InferShapes(refuses: true), // what is impossible now is so in the input
        new FoldConstants(), // infers shapes, which the rules below ask for
        new InlineConstantIf(), // conditions are constant only after folding
        new FoldConstants(), // what the branches computed
        new Rewriter("eliminate-no-ops", [.. NoOps, .. Merges]),
        new MergeSlicesIntoSplit(), // after slices that cut nothing are gone
        new EliminateDuplicateInitializers(), // before nodes, which are equal only if their inputs are the same
        new EliminateDuplicateNodes(),
        new Rewriter("merge-again", [.. NoOps, .. Merges]), // duplicates may have kept chains apart
        new EliminateDeadNodes(), // the shape arithmetic that nothing reads any more
        new EliminateDuplicateInitializers(), // operands that the rules made
        new EliminateUnusedInitializers(),
        new InferShapes(), // what later stages see
    ];

    /// <summary>Makes one operator of what exporters write as several, where the target has it; behind <see cref="Cleanup"/>, whose constants the patterns ask for.</summary>
    public static IReadOnlyList<Pass> Fusion(TargetDescription target) =>
    [
        new Rewriter("fuse-operators", [new FuseLayerNormalization(), new FuseGelu(target)]),
        new Rewriter("merge-fused", [new MergeTransposes(), new EliminateTranspose()]), // a normalization over channels stands between two
        new EliminateUnusedInitializers(), // operands of the operators that are gone
        new InferShapes(), // what later stages see
    ];

    /// <summary>Brings a cleaned graph into the form that quantizes best; before calibration, because it makes the values that are observed.</summary>
    public static IReadOnlyList<Pass> PrepareQuantization { get; } =
    [
        new Rewriter("lower-conv-to-mat-mul", [new LowerConvToMatMul(), new MergeTransposes(), new EliminateTranspose()]), // the transposes cancel
        new Rewriter("lower-conv-transpose-to-mat-mul", [new LowerConvTransposeToMatMul()]), // of a mask decoder
        new EliminateUnusedInitializers(), // the weights in their old layout
        new InferShapes(), // the planner asks for ranks
    ];

    /// <summary>Lets a mask decoder take several prompts at once; behind <see cref="Cleanup"/>, which folds shape arithmetic.</summary>
    public static IReadOnlyList<Pass> BatchDecoder { get; } =
    [
        new BatchPoints(),
        new EliminateUnusedInitializers(), // the old targets of Reshapes
    ];

    /// <summary>A rewrite of attention, and what takes its leftovers away.</summary>
    public static IReadOnlyList<Pass> Rewrite(AttentionRewrite rewrite) =>
    [
        rewrite,
        new EliminateDeadNodes(), // the old form
        new FoldConstants(), // parts of tables
        new EliminateUnusedInitializers(),
        new InferShapes(), // what the next rewrite reads
    ];

    /// <summary>Takes channels away, and what takes its leftovers away.</summary>
    public static IReadOnlyList<Pass> Prune(PruningPlan plan) =>
    [
        new PruneChannels(plan),
        new EliminateDuplicateInitializers(), // sizes are the same in every block
        new EliminateUnusedInitializers(), // constants in their old size
        new InferShapes(), // what the next stage reads
    ];

    /// <summary>Writes attention and what is between the layers as a target runs it best; last of all, because what finds attention does not find it again.</summary>
    /// <remarks>For a target without contributed operators it comes behind quantization: the form of qdq would add an axis around each Gemm.</remarks>
    public static IReadOnlyList<Pass> FuseForTarget(TargetDescription target)
    {
        ArgumentNullException.ThrowIfNull(target);
        return
        [
            new Rewriter("lower-pointwise-conv", [new LowerConvToMatMul(pointwiseOnly: true), new MergeTransposes(), new EliminateTranspose()]), // of the neck
            new FuseAttention(target),
            new EliminateDeadNodes(), // the old form
            new FoldConstants(), // tables times factors
            new FlattenTokens(), // before the fusions that want matrices
            new Rewriter("merge-movements-of-tokens", [.. NoOps, .. Merges]), // of attention and of flattened tokens
            new Rewriter(new FuseGemm()), // any runtime has Gemm
            .. target.ContributedOperators ? Contributed : [],
            new EliminateDeadNodes(),
            new EliminateDuplicateInitializers(), // one-hot bases are the same in every block, as are shapes of Reshapes
            new EliminateUnusedInitializers(),
            new InferShapes(), // of the operators that are new
        ];
    }

    /// <summary>Fusions to operators that ONNX Runtime contributes.</summary>
    private static IReadOnlyList<Pass> Contributed =>
    [
        new FuseSkipLayerNormalization(), // after FlattenTokens: its kernel takes no more than three dimensions
        new Rewriter(new FuseMatMulTranspose()), // after all that looks for MatMul
    ];

    /// <summary>Rules that take nodes away which change nothing.</summary>
    private static IReadOnlyList<RewriteRule> NoOps =>
    [
        new EliminateIdentity(),
        new EliminateDropout(),
        new EliminateCast(),
        new EliminateReshape(),
        new EliminateTranspose(),
        new EliminateSlice(),
        new EliminatePad(),
        new EliminateTile(),
        new EliminateConcat(),
        new EliminateSplit(),
        new EliminateResize(),
        new EliminateNeutralOperand(),
    ];

    /// <summary>Rules that make one node of two.</summary>
    private static IReadOnlyList<RewriteRule> Merges =>
    [
        new FoldReshapeTarget(),
        new MergeReshapes(),
        new MergeTransposes(),
        new MergeMovements(),
        new MergeSlices(),
        new MergeCasts(),
        new FoldBatchNormalization(),
    ];
}
