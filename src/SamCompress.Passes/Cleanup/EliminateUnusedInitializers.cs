using SamCompress.IR;

namespace SamCompress.Passes.Cleanup;

/// <summary>Removes initializers that nothing reads. Graph inputs stay.</summary>
/// <remarks>Exact.</remarks>
public sealed class EliminateUnusedInitializers : Pass
{
    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Constants.GraphsOf(model).Sum(g => g.RemoveUnusedInitializers());
    }
}
