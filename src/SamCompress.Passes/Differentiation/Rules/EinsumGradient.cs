using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = Einsum(a, b -> y) of two operands: da = Einsum(y, b -> a), db = Einsum(a, y -> b).</summary>
/// <remarks>Refused: an index twice in a term, an ellipsis, an index of one operand only that is summed, and axes that are broadcast.</remarks>
public sealed class EinsumGradient() : GradientRule("Einsum")
{
    public override void Backward(GradientScope scope)
    {
        (string a, string b, string y) = Terms(scope);
        Check(scope, a, b, y);
        if (scope.Wants(0))
            scope.Give(0, Einsum(scope, $"{y},{b}->{a}", scope.OutputGradient, scope.Input(1)));
        if (scope.Wants(1))
            scope.Give(1, Einsum(scope, $"{a},{y}->{b}", scope.Input(0), scope.OutputGradient));
    }

    private static (string A, string B, string Y) Terms(GradientScope scope)
    {
        string[] sides = scope.Node.GetString("equation", "").Replace(" ", "", StringComparison.Ordinal).Split("->");
        if (sides[0].Split(',') is not [var a, var b])
            throw scope.Refuse("it has not two operands");
        if (sides[0].Contains('.', StringComparison.Ordinal))
            throw scope.Refuse("its equation has an ellipsis");
        // Without an arrow the output has the indices that occur once, in alphabetical order.
        string y = sides.Length == 2 ? sides[1] : string.Concat((a + b).GroupBy(c => c).Where(g => g.Count() == 1).Select(g => g.Key).Order());
        return (a, b, y);
    }

    private static void Check(GradientScope scope, string a, string b, string y)
    {
        foreach (string term in (string[])[a, b])
        {
            if (term.Distinct().Count() < term.Length)
                throw scope.Refuse("its equation has an index twice in a term");
        }

        if (a.Except(b + y).Concat(b.Except(a + y)).Any())
            throw scope.Refuse("an index of one operand only is summed");
        foreach (char index in a.Intersect(b))
        {
            if (scope.ShapeOf(0)[a.IndexOf(index, StringComparison.Ordinal)] != scope.ShapeOf(1)[b.IndexOf(index, StringComparison.Ordinal)])
                throw scope.Refuse($"axis {index} is broadcast");
        }
    }

    private static Value Einsum(GradientScope scope, string equation, Value first, Value second) =>
        scope.Graph.Op("Einsum", [first, second], [NodeAttribute.Of("equation", equation)]);
}
