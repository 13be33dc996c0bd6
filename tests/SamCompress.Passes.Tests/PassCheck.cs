using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Rewriting;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests;

/// <summary>Applies a pass to a model in ONNX text, and checks in ONNX Runtime that it computes the same.</summary>
internal static class PassCheck
{
    /// <summary>Applies the pass, asserts equal bits, and returns both graphs for a snapshot.</summary>
    /// <param name="maxRelative">0 for exact passes: equal bits.</param>
    public static string Apply(string text, Pass pass, int opset = 21, double maxRelative = 0, IReadOnlyDictionary<string, Array>? inputs = null)
    {
        using Model before = ModelText.Parse(text, opset);
        using Model after = ModelText.Parse(text, opset);
        ShapeInference.Infer(before);
        ShapeInference.Infer(after);
        int changes = pass.Apply(after, Context());
        Assert.True(changes > 0, "nothing was changed");
        after.Graph.RemoveUnusedInitializers();
        if (maxRelative == 0)
            NumericAssert.EqualBits(before, after, inputs);
        else
            NumericAssert.Close(before, after, maxRelative, inputs);
        Assert.Equal(0, pass.Apply(after, Context()));
        return $"before:\n{ModelText.Print(before)}\nafter, {changes} changed:\n{ModelText.Print(after)}";
    }

    public static string Apply(string text, RewriteRule rule, int opset = 21, double maxRelative = 0, IReadOnlyDictionary<string, Array>? inputs = null) =>
        Apply(text, new Rewriter(rule), opset, maxRelative, inputs);

    /// <summary>Asserts that the rule leaves the graph as it is and says why.</summary>
    public static void Refuses(string text, RewriteRule rule, string reason, int opset = 21)
    {
        PassContext context = LeavesAlone(text, new Rewriter(rule), opset);
        Assert.Equal(reason, context.NearestMisses[rule.Name].Reason);
    }

    /// <summary>Asserts that the pass leaves the graph as it is.</summary>
    public static PassContext LeavesAlone(string text, Pass pass, int opset = 21)
    {
        using Model model = ModelText.Parse(text, opset);
        ShapeInference.Infer(model);
        model.Graph.RemoveUnusedInitializers();
        string before = ModelText.Print(model);
        PassContext context = Context();
        Assert.Equal(0, pass.Apply(model, context));
        model.Graph.RemoveUnusedInitializers();
        Assert.Equal(before, ModelText.Print(model));
        return context;
    }

    public static PassContext Context() => new() { Evaluator = new OnnxConstantEvaluator() };
}
