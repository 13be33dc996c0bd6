using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Passes.Cleanup;

/// <summary>Writes inferred element types and shapes to all values, and reports nodes that no run could execute.</summary>
/// <remarks>Exact: no node changes, and so it counts no changes.</remarks>
/// <param name="refuses">Whether such a node is an error of the input: a model that was read and not yet changed.</param>
public sealed class InferShapes(bool refuses = false) : Pass
{
    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        IReadOnlyList<Diagnostic> diagnostics = ShapeInference.Infer(model).Diagnostics;
        if (refuses)
        {
            Refuse(model, diagnostics);
            return 0;
        }

        foreach (Diagnostic diagnostic in diagnostics)
            context.Report(diagnostic);
        return 0;
    }

    /// <summary>A node in a body is left alone: a run may never come to it.</summary>
    private static void Refuse(Model model, IReadOnlyList<Diagnostic> diagnostics)
    {
        HashSet<string> always = [.. model.Graph.Nodes.Select(n => n.ToString())];
        if (diagnostics.FirstOrDefault(d => d.Severity == Severity.Error && always.Contains(d.Where)) is { } impossible)
            throw new SamCompressException(FailureKind.InputRejected, $"{impossible.Where}: {impossible.Message} ({impossible.Id})", "no run of this model could succeed: export it again.") { Location = model.Path };
    }
}
