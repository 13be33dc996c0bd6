using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = x[i] element by element along an axis: dx = 0, to which the elements of dy are added where they were read.</summary>
/// <remarks>Needs opset 16, where ScatterElements adds.</remarks>
public sealed class GatherElementsGradient() : GradientRule("GatherElements")
{
    public override void Backward(GradientScope scope)
    {
        if (scope.Graph.Opset < 16)
            throw scope.Refuse("ScatterElements adds only from opset 16 on");
        scope.Give(0, scope.Graph.Op(
            "ScatterElements",
            [Zeros.Of(scope, scope.ShapeOf(0), scope.OutputGradient), scope.Input(1), scope.OutputGradient],
            [NodeAttribute.Of("axis", scope.Node.GetInt("axis", 0)), NodeAttribute.Of("reduction", "add")]));
    }
}

/// <summary>y = the slices of x at places: dx = 0, to which the slices of dy are added where they were read.</summary>
/// <remarks>Needs opset 16, where ScatterND adds. Guard: no batch dimensions.</remarks>
public sealed class GatherNdGradient() : GradientRule("GatherND")
{
    public override void Backward(GradientScope scope)
    {
        if (scope.Graph.Opset < 16)
            throw scope.Refuse("ScatterND adds only from opset 16 on");
        if (scope.Node.GetInt("batch_dims", 0) != 0)
            throw scope.Refuse("it has batch dimensions");
        scope.Give(0, scope.Graph.Op(
            "ScatterND",
            [Zeros.Of(scope, scope.ShapeOf(0), scope.OutputGradient), scope.Input(1), scope.OutputGradient],
            [NodeAttribute.Of("reduction", "add")]));
    }
}
