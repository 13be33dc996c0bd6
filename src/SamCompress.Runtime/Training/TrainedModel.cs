using SamCompress.IR;

namespace SamCompress.Runtime.Training;

/// <summary>Makes a model for inference of trained weights.</summary>
public static class TrainedModel
{
    /// <summary>A copy of the student with these weights in place of its own. Its other big tensors are those of the student, which must live longer.</summary>
    /// <param name="weights">By the name of the initializer.</param>
    /// <exception cref="InvariantException">The student has no such initializer of that type and shape.</exception>
    public static Model Of(Model student, IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Model model = ModelCopy.Of(student);
        Dictionary<string, Value> initializers = model.Graph.Initializers.ToDictionary(v => v.Name, StringComparer.Ordinal);
        foreach ((string name, Tensor weight) in weights)
        {
            if (initializers.GetValueOrDefault(name) is not { Initializer: { } old } value || old.ElementType != weight.ElementType || !old.Dimensions.SequenceEqual(weight.Dimensions))
                throw new InvariantException($"the student has no initializer '{name}' of {weight}");
            model.Graph.SetInitializer(value, weight);
        }

        return model;
    }
}
