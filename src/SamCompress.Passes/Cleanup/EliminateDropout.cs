using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Dropout(x) => x, as it is at inference.</summary>
/// <remarks>Exact. Guard: not in training mode. One whose mask is used stays, because the mask is a value of the match.</remarks>
public sealed class EliminateDropout : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly NodePattern _dropout;

    public EliminateDropout() => _dropout = Op("Dropout", _x).MoreInputs();

    protected override ValuePattern Pattern => _dropout;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Node node = match.Node(_dropout);
        if (graph.Opset < 7 && node.GetInt("is_test", 0) == 0)
            return match.Reject("is in training mode");
        if (node.Input(2) is { } training && !(training.Constant is { ElementType: ElementType.Bool, Count: 1 } tensor && tensor.ToInt64s()[0] == 0))
            return match.Reject("is not known to be in inference mode");
        return match[_x];
    }
}
