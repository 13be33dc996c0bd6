using System.Collections.Frozen;
using SamCompress.IR;
using SamCompress.Passes.Differentiation.Rules;

namespace SamCompress.Passes.Differentiation;

/// <summary>The rules of differentiation, by operator.</summary>
public static class GradientRules
{
    public static IReadOnlyList<GradientRule> All { get; } =
    [
        new AddGradient(),
        new SubGradient(),
        new MulGradient(),
        new DivGradient(),
        new NegGradient(),
        new PowGradient(),
        .. PointwiseGradients.All,
        new ExtremumGradient(),
        new SoftmaxGradient(),
        new LogSoftmaxGradient(),
        new LayerNormalizationGradient(),
        new ReduceSumGradient(),
        new ReduceMeanGradient(),
        new ReduceExtremumGradient(),
        new MatMulGradient(),
        new GemmGradient(),
        new EinsumGradient(),
        new ReshapeGradient(),
        new TransposeGradient(),
        new IdentityGradient(),
        new CastGradient(),
        new StepGradient(),
        new SliceGradient(),
        new PadGradient(),
        new ConcatGradient(),
        new SplitGradient(),
        new ExpandGradient(),
        new TileGradient(),
        new WhereGradient(),
        new GatherGradient(),
        new GatherElementsGradient(),
        new GatherNdGradient(),
        new ResizeGradient(),
        new SinGradient(),
        new CosGradient(),
        new ConvGradient(),
        new ConvTransposeGradient(),
        new BatchNormalizationGradient(),
        new GlobalAveragePoolGradient(),
        new AveragePoolGradient(),
        new QuantizeLinearGradient(),
        new DequantizeLinearGradient(),
    ];

    private static readonly FrozenDictionary<(string Domain, string OpType), GradientRule> ByOperator =
        All.SelectMany(r => r.OpTypes.Select(o => (Key: (r.Domain, o), Rule: r))).ToFrozenDictionary(r => r.Key, r => r.Rule);

    /// <summary>The rule of a node's operator, or null.</summary>
    public static GradientRule? Of(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return ByOperator.GetValueOrDefault((node.Domain, node.OpType));
    }
}
