namespace SamCompress.IR.Analysis;

/// <summary>Fills element types and shapes of values in place; what is known stays as it is.</summary>
public static class ShapeInference
{
    /// <summary>Infers the outputs of one node from its inputs.</summary>
    public static void Infer(Model model, Node node)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(node);
    }
}
