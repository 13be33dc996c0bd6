using System.Collections.Frozen;
using SamCompress.IR;
using SamCompress.Passes.Differentiation.Rules;

namespace SamCompress.Passes.Differentiation;

/// <summary>The rules of differentiation, by operator.</summary>
public static class GradientRules
{
    private static IReadOnlyList<GradientRule> Movements =>
    [
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

    public static IReadOnlyList<GradientRule> All { get; } =
    [
        new AddGradient(),
        new MulGradient(),
        new MatMulGradient(),
        new ReduceSumGradient(),
        new ReduceMeanGradient(),
        .. Movements,
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
