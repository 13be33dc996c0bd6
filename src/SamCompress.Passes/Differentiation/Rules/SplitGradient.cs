using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>[a, b, ...] = x: dx = [da, db, ...], with zeros for a part on which the loss does not depend.</summary>
public sealed class SplitGradient() : GradientRule("Split")
{
    public override void Backward(GradientScope scope)
    {
        Value like = scope.Node.Outputs.Select((_, i) => scope.OutputGradientOf(i)).First(g => g is not null)!;
        Value[] parts = [.. scope.Node.Outputs.Select((o, i) => scope.OutputGradientOf(i) ?? Zeros.Of(scope, o is null ? throw scope.Refuse("it leaves out a part") : scope.OutputShape(i), like))];
        scope.Give(0, parts.Length == 1 ? parts[0] : scope.Graph.Concat(parts, scope.Node.GetInt("axis", 0)));
    }
}
