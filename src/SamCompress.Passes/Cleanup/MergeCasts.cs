using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Cast(Cast(x)) => Cast(x) when the first cast loses nothing.</summary>
/// <remarks>Exact. Guard: every value of x's element type has the same value in the type between. The inner node may have other users.</remarks>
public sealed class MergeCasts : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly NodePattern _inner;

    public MergeCasts() => _inner = Op("Cast", _x).Shareable();

    protected override ValuePattern Pattern => Op("Cast", _inner);

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        if (match.Root.ElementType == ElementType.Undefined || !Holds(match[_inner].ElementType, match[_x].ElementType))
            return match.Reject("the first cast may lose something");
        return graph.Cast(match[_x], match.Root.ElementType);
    }

    /// <summary>Whether a type holds every value of another one.</summary>
    private static bool Holds(ElementType wide, ElementType narrow) => (wide, narrow) switch
    {
        (ElementType.Double, ElementType.Float or ElementType.Float16 or ElementType.BFloat16 or ElementType.Int32 or ElementType.UInt32) => true,
        (ElementType.Double or ElementType.Float, ElementType.Int16 or ElementType.UInt16 or ElementType.Int8 or ElementType.UInt8 or ElementType.Bool) => true,
        (ElementType.Float, ElementType.Float16 or ElementType.BFloat16) => true,
        (ElementType.Int64, ElementType.Int32 or ElementType.UInt32 or ElementType.Int16 or ElementType.UInt16 or ElementType.Int8 or ElementType.UInt8 or ElementType.Bool) => true,
        (ElementType.Int32, ElementType.Int16 or ElementType.UInt16 or ElementType.Int8 or ElementType.UInt8 or ElementType.Bool) => true,
        (ElementType.UInt8, ElementType.Bool) => true,
        _ => false,
    };
}
