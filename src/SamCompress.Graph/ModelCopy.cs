namespace SamCompress.IR;

/// <summary>Copies models whose big tensors stay where they are.</summary>
public static class ModelCopy
{
    /// <summary>Smaller initializers are copied.</summary>
    private const long SharedBytes = 1024;

    /// <summary>A copy that can be changed freely. Its big tensors are those of the original, which must live longer. Shapes that were inferred are not in it.</summary>
    public static Model Of(Model model)
    {
        byte[] shell = OnnxWriter.SerializeDetached(model, SharedBytes, out IReadOnlyList<Value> detached);
        Model copy = OnnxReader.Parse(shell, new ReadOptions { AllowMissingData = true });
        Dictionary<string, Tensor> tensors = detached.ToDictionary(v => v.Name, v => v.Initializer!, StringComparer.Ordinal);
        foreach (Graph graph in copy.AllGraphs())
        {
            foreach (Value value in graph.Initializers)
            {
                if (tensors.TryGetValue(value.Name, out Tensor? tensor))
                    graph.SetInitializer(value, tensor);
            }
        }

        return copy;
    }
}
