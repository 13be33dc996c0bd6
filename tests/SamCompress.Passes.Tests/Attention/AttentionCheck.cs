using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Attention;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Attention;

/// <summary>Rewrites attentions of models in ONNX text or of exporters, and compares in ONNX Runtime with graphs that were edited by hand.</summary>
internal static class AttentionCheck
{
    /// <summary>What the issue asks of exact rewrites, relative to the largest element of an output.</summary>
    public const double MaxRelative = 1e-4;

    /// <summary>The first whose Split has a number of outputs.</summary>
    private const int Opset = 18;

    public static Model Parse(string text)
    {
        Model model = ModelText.Parse(text, Opset);
        ShapeInference.Infer(model);
        model.Graph.RemoveUnusedInitializers();
        return model;
    }

    /// <summary>A skeleton, or with a slash in its name a model of <c>models</c>, cleaned up.</summary>
    public static Model Prepared(string name)
    {
        Model model = name.Contains('/', StringComparison.Ordinal) ? OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", name + ".onnx")) : SkeletonModels.Open(name);
        new PassPipeline(StandardPipeline.Cleanup).Run(model, PassCheck.Context());
        return model;
    }

    /// <summary>Rewrites a model, asserts that it computes what the expected one does, and returns the graphs for a snapshot.</summary>
    public static string Apply(string text, IReadOnlyList<Pass> passes, Action<Model>? expected = null)
    {
        using Model before = Parse(text);
        using Model after = Parse(text);
        string printed = ModelText.Print(before);
        expected?.Invoke(before);
        new PassPipeline(passes).Run(after, PassCheck.Context());
        NumericAssert.Close(before, after, MaxRelative / 10);
        return $"before:\n{printed}\nafter:\n{ModelText.Print(after)}";
    }

    /// <summary>Adds a mask to the logits: where a query may not see a key, nothing of it is left.</summary>
    public static void Mask(Model model, int tokens, Func<int, int, bool> mayAttend)
    {
        var mask = new float[tokens * tokens];
        for (int i = 0; i < mask.Length; i++)
            mask[i] = mayAttend(i / tokens, i % tokens) ? 0 : -1e9f;
        foreach (Node softmax in model.Graph.Nodes.Where(n => n.Is("Softmax")).ToList())
        {
            Value constant = model.Graph.AddInitializer(model.Graph.FreshName("mask"), Tensor.Of(mask, tokens, tokens));
            softmax.ReplaceInput(0, Before(softmax, "Add", softmax.Input(0)!, constant));
        }
    }

    /// <summary>Writes relu(q).relu(k)^T / sum in place of each Softmax: the quadratic form of linear attention.</summary>
    public static void Linearize(Model model)
    {
        foreach (AttentionBlock block in AttentionFinder.Find(model).Blocks)
        {
            Node softmax = block.Softmax, product = block.QueryKey!.Node;
            Value weights = Before(softmax, "MatMul", Before(softmax, "Relu", product.Input(0)!), Before(softmax, "Relu", product.Input(1)!));
            Value axes = model.Graph.AddInitializer(model.Graph.FreshName("axes"), Tensor.Vector(-1));
            Value sum = Before(softmax, "ReduceSum", weights, axes);
            Value epsilon = model.Graph.AddInitializer(model.Graph.FreshName("epsilon"), Tensor.Scalar(1e-6f));
            softmax.Output.ReplaceUsesWith(Before(softmax, "Div", weights, Before(softmax, "Add", sum, epsilon)));
        }
    }

    /// <summary>Asserts that a rewrite is refused, and that the graph stays as it was.</summary>
    public static void Refuses(string text, AttentionRewrite rewrite, string reason)
    {
        using Model model = Parse(text);
        string before = ModelText.Print(model);
        SamCompressException refused = Assert.Throws<SamCompressException>(() => rewrite.Apply(model, PassCheck.Context()));
        Assert.Equal(FailureKind.Unsupported, refused.Kind);
        Assert.EndsWith(reason, refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, ModelText.Print(model));
    }

    private static Value Before(Node anchor, string opType, params Value[] inputs) =>
        anchor.Graph!.InsertBefore(anchor, opType, inputs, [anchor.Graph.FreshName("by_hand")]).Output;
}
