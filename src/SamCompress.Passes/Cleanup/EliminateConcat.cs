using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Concat(x) => x, and Concat(Split(x)) => x when all parts come in order along the same axis.</summary>
/// <remarks>Exact.</remarks>
public sealed class EliminateConcat : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly NodePattern _concat;

    public EliminateConcat() => _concat = Op("Concat", _x).MoreInputs();

    protected override ValuePattern Pattern => _concat;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Node concat = match.Node(_concat);
        if (concat.Inputs.Count == 1)
            return match[_x];
        if (match[_x].Producer is not { } split || !split.Is("Split"))
            return match.Reject("joins several values");
        if (split.Outputs.Count != concat.Inputs.Count || !split.Outputs.Zip(concat.Inputs).All(p => ReferenceEquals(p.First, p.Second)))
            return match.Reject("does not join all parts of one Split in order");
        if (match[_x].Shape is not { } shape || AxisOf(split, shape.Rank) != AxisOf(concat, shape.Rank))
            return match.Reject("splits and joins along different axes");
        return split.Inputs[0]!;
    }

    private static long AxisOf(Node node, int rank) => node.GetInt("axis", 0) is var axis && axis < 0 ? axis + rank : axis;
}
