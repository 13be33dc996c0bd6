using SamCompress.IR;

namespace SamCompress.Passes.Cleanup;

/// <summary>Raises an IR version under 4 to 4, the first in which an initializer need not be a graph input.</summary>
/// <remarks>Exact. Initializers that are graph inputs stay so: a caller may override them.</remarks>
public sealed class RaiseIrVersion : Pass
{
    private const long InitializersWithoutInputs = 4;

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.IrVersion >= InitializersWithoutInputs)
            return 0;
        model.IrVersion = InitializersWithoutInputs;
        return 1;
    }
}
