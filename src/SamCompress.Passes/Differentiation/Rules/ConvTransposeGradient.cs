namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>
/// y = w * x transposed, + b, where w [c, m / groups, ...] is the weight of a convolution from y to x: dx = the convolution of dy with w, dw = the convolution of
/// dy with x, db = dy summed over all but the channels.
/// </summary>
/// <remarks>Guards: explicit pads; the rows that output_padding adds are fewer than the strides.</remarks>
public sealed class ConvTransposeGradient() : GradientRule("ConvTranspose")
{
    public override void Backward(GradientScope scope)
    {
        if (scope.Node.GetInts("output_shape") is not null)
            throw scope.Refuse("its output_shape decides on the pads");
        var convolution = Convolution.Of(scope, scope.ShapeOf(1)[2..]);
        if (scope.Node.GetInts("output_padding") is { } rest && rest.Where((r, a) => r >= convolution.Strides[a]).Any())
            throw scope.Refuse("its output_padding is not below its strides");
        if (scope.Wants(0))
            scope.Give(0, convolution.Apply(scope, scope.OutputGradient, scope.Input(1)));
        if (scope.Wants(1))
            scope.Give(1, convolution.OfWeight(scope, scope.OutputGradient, scope.Input(0)));
        if (scope.Wants(2))
            scope.Give(2, Channels.Sum(scope, scope.OutputGradient));
    }
}
