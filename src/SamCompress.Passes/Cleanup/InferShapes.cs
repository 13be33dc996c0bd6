using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Passes.Cleanup;

/// <summary>Writes inferred element types and shapes to all values, and reports nodes that no run could execute.</summary>
/// <remarks>Exact: no node changes, and so it counts no changes.</remarks>
public sealed class InferShapes : Pass
{
    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        foreach (Diagnostic diagnostic in ShapeInference.Infer(model).Diagnostics)
            context.Report(diagnostic);
        return 0;
    }
}
