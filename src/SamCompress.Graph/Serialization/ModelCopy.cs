namespace SamCompress.IR;

/// <summary>Copies models whose big tensors stay where they are.</summary>
public static class ModelCopy
{
    /// <summary>Smaller initializers are copied.</summary>
    private const long SharedBytes = 1024;

    /// <summary>
    /// A copy that can be changed freely, with the element types and shapes that were found, also those that a file would not declare.
    /// Its big tensors are those of the original, which must live longer.
    /// </summary>
    public static Model Of(Model model)
    {
        byte[] shell = OnnxWriter.SerializeDetached(model, SharedBytes, out IReadOnlyList<Value> detached);
        Model copy = OnnxReader.Parse(shell, new ReadOptions { AllowMissingData = true, Limits = ReadLimits.None });
        Dictionary<string, Tensor> tensors = detached.ToDictionary(v => v.Name, v => v.Initializer!, StringComparer.Ordinal);
        foreach (Value value in copy.Graph.Initializers)
        {
            if (tensors.TryGetValue(value.Name, out Tensor? tensor))
                copy.Graph.SetInitializer(value, tensor);
        }

        foreach ((Graph from, Graph to) in model.AllGraphs().Zip(copy.AllGraphs()))
        {
            foreach ((Node original, Node node) in from.Nodes.Zip(to.Nodes))
                CopyTypes(original.Outputs, node.Outputs);
            CopyTypes(from.Inputs, to.Inputs);
        }

        return copy;
    }

    private static void CopyTypes(IReadOnlyList<Value?> from, IReadOnlyList<Value?> to)
    {
        foreach ((Value? original, Value? value) in from.Zip(to))
        {
            if (original is null || value is null)
                continue;
            value.ElementType = original.ElementType;
            value.Shape = original.Shape;
        }
    }
}
