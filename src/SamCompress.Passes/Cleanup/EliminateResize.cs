using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Resize(x) => x when the size stays, for example EfficientViT-SAM's bicubic resize from 64 x 64 to 64 x 64.</summary>
/// <remarks>
/// Exact for finite x, up to the sign of zero: at scale 1 every sample falls on an element, whose weight is 1 beside zeros.
/// Guards: static equal shapes; scales, where given, exactly 1; no cropping mode.
/// </remarks>
public sealed class EliminateResize : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly NodePattern _resize;

    public EliminateResize() => _resize = Op("Resize", _x).MoreInputs();

    protected override ValuePattern Pattern => _resize;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Node node = match.Node(_resize);
        if (match[_x].Shape is not { IsStatic: true } || !match.Root.HasShapeOf(match[_x]))
            return match.Reject("changes the size, or it is not known");
        if (node.GetString("coordinate_transformation_mode", "half_pixel") is "tf_crop_and_resize" or "tf_half_pixel_for_nn")
            return match.Reject("crops or shifts the samples");
        int scalesInput = graph.Opset >= 11 ? 2 : 1;
        if (node.Input(scalesInput) is { } scales && !(scales.Constant is { Count: 0 } || HasOnlyOnes(scales)))
            return match.Reject("a scale is not 1");
        return match[_x];
    }

    private static bool HasOnlyOnes(Value scales) => scales.Constant is { ElementType: ElementType.Float } tensor && tensor.ToArray<float>().All(s => s == 1);
}
