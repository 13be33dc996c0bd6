using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = the mean of x over all but batch and channels: dx = dy / number of elements, repeated.</summary>
public sealed class GlobalAveragePoolGradient() : GradientRule("GlobalAveragePool")
{
    public override void Backward(GradientScope scope)
    {
        long[] shape = scope.ShapeOf(0);
        double count = shape[2..].Aggregate(1L, (product, d) => product * d);
        Value share = scope.Graph.Mul(scope.OutputGradient, scope.Scalar(1 / count, scope.OutputGradient));
        scope.Give(0, scope.Graph.Op("Expand", [share, scope.Graph.Vector(shape)]));
    }
}

/// <summary>y = the mean of x in a window: dx = the transposed convolution, channel by channel, of dy / number of elements with ones.</summary>
/// <remarks>Guard: no window reaches over the pads (ceil_mode).</remarks>
public sealed class AveragePoolGradient() : GradientRule("AveragePool")
{
    public override void Backward(GradientScope scope)
    {
        if (scope.Node.GetInt("ceil_mode", 0) != 0)
            throw scope.Refuse("its windows may reach over the end (ceil_mode)");
        long[] shape = scope.ShapeOf(0), pooled = scope.OutputShape(), kernel = [.. scope.Node.GetInts("kernel_shape")!];
        Convolution window = Convolution.Of(scope, kernel) with { Groups = shape[1] };
        bool countsPads = scope.Node.GetInt("count_include_pad", 0) != 0;
        Value shares = ConstantMatrix.Of(scope, [1, 1, .. pooled[2..]], elements =>
        {
            for (int i = 0; i < elements.Length; i++)
                elements[i] = 1.0 / (countsPads ? kernel.Aggregate(1L, (product, k) => product * k) : window.Inside(i, pooled[2..], shape[2..]));
        }, scope.OutputGradient);
        Value ones = ConstantMatrix.Of(scope, [shape[1], 1, .. kernel], elements => Array.Fill(elements, 1), scope.OutputGradient);
        scope.Give(0, window.OfData(scope, scope.Graph.Mul(scope.OutputGradient, shares), ones, shape));
    }
}
