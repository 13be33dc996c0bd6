using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = the greatest, or the least, of several inputs: dy goes to the input that y was taken from; of equal ones, to the first.</summary>
public sealed class ExtremumGradient() : GradientRule("Max", "Min")
{
    public override void Backward(GradientScope scope)
    {
        Value dy = scope.OutputGradient;
        Value? taken = null;
        for (int i = 0; i < scope.Node.Inputs.Count; i++)
        {
            Value chosen = scope.Graph.Op("Equal", [scope.Input(i), scope.Output()]);
            Value first = taken is null ? chosen : scope.Graph.Op("And", [chosen, scope.Graph.Op("Not", [taken])]);
            if (scope.Wants(i))
                scope.Give(i, scope.Graph.Op("Where", [first, dy, scope.Scalar(0, dy)]));
            taken = taken is null ? chosen : scope.Graph.Op("Or", [taken, chosen]);
        }
    }
}

/// <summary>y = the greatest, or the least, of x along axes: dx = dy where x = y, in equal parts where several are.</summary>
public sealed class ReduceExtremumGradient() : GradientRule("ReduceMax", "ReduceMin")
{
    public override void Backward(GradientScope scope)
    {
        long[] kept = Reduction.KeptShape(scope);
        Value dy = Reduction.Kept(scope, scope.OutputGradient);
        Value chosen = scope.Graph.Cast(scope.Graph.Op("Equal", [scope.Input(0), Reduction.Kept(scope, scope.Output())]), dy.ElementType);
        scope.Give(0, scope.Graph.Mul(chosen, scope.Graph.Div(dy, scope.SumTo(chosen, kept))));
    }
}
