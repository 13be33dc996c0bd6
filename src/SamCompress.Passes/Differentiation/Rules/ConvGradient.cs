namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = w * x + b: dx = the transposed convolution of dy with w, dw = the convolution of x with dy, db = dy summed over all but the channels.</summary>
public sealed class ConvGradient() : GradientRule("Conv")
{
    public override void Backward(GradientScope scope)
    {
        var convolution = Convolution.Of(scope, scope.ShapeOf(1)[2..]);
        if (scope.Wants(0))
            scope.Give(0, convolution.OfData(scope, scope.OutputGradient, scope.Input(1), scope.ShapeOf(0)));
        if (scope.Wants(1))
            scope.Give(1, convolution.OfWeight(scope, scope.Input(0), scope.OutputGradient));
        if (scope.Wants(2))
            scope.Give(2, Channels.Sum(scope, scope.OutputGradient));
    }
}
