using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Pruning;

/// <summary>Models as pruning gets them, and what tests of it share.</summary>
internal static class PruningCheck
{
    /// <summary>Cleaned up and fused, relative positions as tables.</summary>
    public static Model Open(string name)
    {
        Model model = ExporterModels.Open(name);
        TrainableModel.Prepare(model);
        return model;
    }

    public static Model Parse(string text, int opset = 21)
    {
        Model model = ModelText.Parse(text, opset);
        ShapeInference.Infer(model);
        return model;
    }

    public static PruningPlan RandomPlan(Model model, PruningOptions options)
    {
        IReadOnlyList<ChannelGroup> groups = ChannelGroupFinder.Find(model).Groups;
        return PruningPlanner.Plan(groups, new RandomImportance(7).Score(groups), options);
    }

    public static void Prune(Model model, PruningPlan plan) => new PassPipeline(StandardPipeline.Prune(plan)).Run(model, new PassContext());

    /// <summary>Sets elements of a float initializer to zero, where a function of the index along each axis says so.</summary>
    public static void Zero(Model model, Value value, Func<long[], bool> isZero)
    {
        Tensor tensor = value.Constant!;
        float[] elements = tensor.ToArray<float>();
        var index = new long[tensor.Rank];
        for (int i = 0; i < elements.Length; i++)
        {
            if (isZero(index))
                elements[i] = 0;
            for (int axis = tensor.Rank - 1; axis >= 0 && ++index[axis] == tensor.Dimensions[axis]; axis--)
                index[axis] = 0;
        }

        model.Graph.SetInitializer(value, Tensor.Of(elements, tensor.Dimensions.AsSpan()));
    }

    /// <summary>Plain numbers with signs and no repetition.</summary>
    public static string Numbers(int count, int seed) =>
        "{" + string.Join(", ", Enumerable.Range(1, count).Select(i => (((i * 37) + (seed * 11)) % 53 * 0.04 - 1).ToString("F2", System.Globalization.CultureInfo.InvariantCulture))) + "}";
}
