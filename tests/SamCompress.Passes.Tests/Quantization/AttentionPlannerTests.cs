using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class AttentionPlannerTests
{
    private const string Attention = """
        g (float[2,4,3] X, float[2,3,4] K, float[2,4,3] V) => (float[2,4,3] Y)
        <float[3,3] W = {1, 2, 3, 4, 5, 6, 7, 8, 9}, float[3,3] U = {1, 2, 3, 4, 5, 6, 7, 8, 9}>
        {
            Q = MatMul (X, W)
            [logits] L = MatMul (Q, K)
            P = Softmax (L)
            [values] A = MatMul (P, V)
            Y = MatMul (A, U)
        }
        """;

    [Fact]
    public void Products_are_left_alone_where_the_target_does_not_ask_for_them()
    {
        using Model model = Inferred(Attention);
        Assert.All(Planner(TargetDescription.Load("ort-cpu")).RequiredStatistics(model), o => Assert.Contains(o.Name, new[] { "A", "X" }));
        Assert.Equal(["Q", "Y"], Plan(model, TargetDescription.Load("ort-cpu")).Layers.Select(l => l.NodeOutput));
    }

    [Fact]
    public void Products_are_planned_in_graph_order_with_both_factors()
    {
        using Model model = Inferred(Attention);
        TargetDescription target = Asking(TargetDescription.Load("ort-cpu"));
        Assert.Equal(
            [("A", -1, 3), ("K", -2, 3), ("P", -1, 4), ("Q", -1, 3), ("V", -1, 3), ("X", -1, 3)],
            Planner(target).RequiredStatistics(model).Select(o => (o.Name, o.ChannelAxis, o.Channels)));
        QuantizationPlan plan = Plan(model, target);
        Assert.Equal(
            [(LayerKind.Linear, "X", null), (LayerKind.AttentionMatMul, "Q", "K"), (LayerKind.AttentionMatMul, "P", "V"), (LayerKind.Linear, "A", null)],
            plan.Layers.Select(l => (l.Kind, l.Input, l.SecondInput)).ToArray());
        Assert.Equal(["A", "K", "P", "Q", "V", "X"], plan.Activations.Select(a => a.Value));
        new PassPipeline(new QuantizePass(plan)).Run(model, new PassContext());
        Assert.Equal(4, model.Graph.Nodes.Count(n => n.OpType == "MatMulIntegerToFloat"));
        Assert.Empty(TargetCheck.Check(model, target));
    }

    [Fact]
    public void Long_attention_stays_float_and_says_why()
    {
        using Model model = Inferred(Attention);
        QuantizationPlan plan = Plan(model, Asking(TargetDescription.Load("qdq")) with { LongestQuantizedAttention = 3 });
        LayerPlan logits = plan.Layers.Single(l => l.Name == "logits");
        Assert.Equal((LayerExecution.Float, "4 tokens: qdq quantizes attention up to 3"), (logits.Execution, logits.Why));
        Assert.DoesNotContain(plan.Activations, a => a.Value == "K");
    }

    [Fact]
    public void Attention_of_unknown_size_stays_float_and_says_why()
    {
        using Model model = Inferred(Attention.Replace("float[2,3,4] K", "float[2,3,T] K", StringComparison.Ordinal));
        Assert.Equal("the size of a factor is not known", Plan(model, Asking(TargetDescription.Load("qdq"))).Layers.Single(l => l.Name == "logits").Why);
    }

    private static TargetDescription Asking(TargetDescription target) => target with { AttentionMatMul = target.AttentionMatMul with { Execution = LayerExecution.Integer } };

    private static QuantizationPlanner Planner(TargetDescription target) => new(new QuantizationOptions { FewestInputs = 1, Estimator = new MinMaxEstimator() }, target);

    private static QuantizationPlan Plan(Model model, TargetDescription target)
    {
        QuantizationPlanner planner = Planner(target);
        return planner.Plan(model, PlannerStatistics.Of(planner.RequiredStatistics(model), _ => (-1, 1)));
    }

    private static Model Inferred(string text)
    {
        Model model = ModelText.Parse(text, opset: 17);
        IR.Analysis.ShapeInference.Infer(model);
        return model;
    }
}
