using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Pad(x) => x when every pad is 0.</summary>
/// <remarks>Exact. Pads that cut on one side and add on the other keep the shape but are no no-op.</remarks>
public sealed class EliminatePad : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly NodePattern _pad;

    public EliminatePad() => _pad = Op("Pad", _x).MoreInputs();

    protected override ValuePattern Pattern => _pad;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Node node = match.Node(_pad);
        IReadOnlyList<long>? pads = node.GetInts("pads") ?? node.Input(1).Integers();
        if (pads is null)
            return match.Reject("the pads are not known");
        if (pads.Any(p => p != 0))
            return match.Reject("a pad is not 0");
        return match[_x];
    }
}
