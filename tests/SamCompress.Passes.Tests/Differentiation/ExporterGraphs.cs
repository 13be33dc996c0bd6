using SamCompress.IR;
using SamCompress.Passes.Rewriting;
using SamCompress.Passes.Targets;

namespace SamCompress.Passes.Tests.Differentiation;

/// <summary>Exporter graphs as training meets them.</summary>
internal static class ExporterGraphs
{
    private const int Points = 3;

    /// <summary>Cleaned and fused, of static shapes: a decoder gets three points, and pictures of 1024 by 1024.</summary>
    public static Model Open(string name)
    {
        Model model = ExporterModels.Open(name);
        Graph graph = model.Graph;
        for (int i = graph.Inputs.Count - 1; i >= 0; i--)
        {
            Value input = graph.Inputs[i];
            input.Shape = Shape.Of([.. input.Shape!.Select(d => d.Value ?? Points)]);
            if (input.Name == "orig_im_size")
            {
                input.ReplaceUsesWith(graph.AddInitializer("picture_size", Tensor.Of([1024f, 1024f], 2)));
                graph.RemoveInput(i);
            }
        }

        new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(TargetDescription.Load(TargetDescription.Default))]).Run(model, PassCheck.Context());
        return model;
    }

    /// <summary>Initializers of real numbers; not the scalars, which are constants of formulas.</summary>
    public static IReadOnlyList<Value> Weights(Model model) => [.. model.Graph.Initializers.Where(i => i.ElementType.IsFloatingPoint() && i.Initializer!.Count > 1)];

    /// <summary>Adds the sum of all elements of all outputs, each with the factor of its place.</summary>
    /// <param name="factor">The factors of an output.</param>
    public static Value AddLoss(Model model, Func<Value, Tensor> factor)
    {
        var builder = new GraphBuilder(model, "loss");
        return model.Graph.Outputs.Select(o => builder.Op("ReduceSum", [builder.Mul(o, builder.Constant(factor(o)))], [NodeAttribute.Of("keepdims", 0L)])).Aggregate(builder.Add);
    }
}
