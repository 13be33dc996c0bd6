using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Differentiation;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Differentiation;

public sealed class DifferentiatorTests
{
    [Fact]
    public void An_operator_without_a_rule_is_named()
    {
        var refusal = Assert.Throws<SamCompressException>(() => GradientCheck.Agrees("""
            agraph (double[3] x) => (double[3] y) <int64 axis = {0}>
            {
                [total] y = CumSum (x, axis)
            }
            """, "x"));
        Assert.Equal((FailureKind.Unsupported, "no gradient is known of the operator CumSum (total (CumSum))"), (refusal.Kind, refusal.Message));
    }

    [Fact]
    public void Control_flow_is_refused_also_where_only_its_branches_read_what_is_asked_for()
    {
        var refusal = Assert.Throws<SamCompressException>(() => new GradientCheck { Inputs = new Dictionary<string, double[]> { ["c"] = [1] } }.Run("""
            agraph (double[3] x, bool c) => (double[3] y)
            {
                y = If (c) <then_branch = yes () => (double[3] a) { a = Neg (x) }, else_branch = no () => (double[3] b) { b = Abs (x) }>
            }
            """, "x"));
        Assert.Equal("no gradient is known of the operator If (y (If))", refusal.Message);
    }

    [Fact]
    public void Numbers_that_became_whole_carry_no_gradient()
    {
        using Model model = Parse("""
            agraph (float[3] x) => (float l)
            {
                whole = Cast <to = 7> (x)
                real = Cast <to = 1> (whole)
                l = ReduceSum <keepdims = 0> (real)
            }
            """);
        Assert.Empty(Differentiator.Differentiate(model, model.Graph.Outputs[0], [model.Graph.Inputs[0]]));
    }

    [Fact]
    public void Only_what_is_asked_for_is_built()
    {
        using Model model = Parse("""
            agraph (float[2, 3] x) => (float l) <float[3, 4] a = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, float[4, 1] b = {1, 2, 3, 4}>
            {
                h = MatMul (x, a)
                y = MatMul (h, b)
                l = ReduceSum <keepdims = 0> (y)
            }
            """);
        Value b = model.Graph.Initializers.Single(i => i.Name == "b");
        Differentiator.Differentiate(model, model.Graph.Outputs[0], [b]);
        // The gradient of b is hᵀ dy; none of x, a or h is there.
        Assert.Equal(["MatMul", "MatMul", "ReduceSum", "Reshape", "Expand", "Gemm"], model.Graph.Nodes.Select(n => n.OpType));
    }

    [Fact]
    public void The_loss_has_one_element_and_what_is_asked_for_is_real()
    {
        using Model model = Parse("""
            agraph (float[3] x, int64[3] i) => (float[3] y)
            {
                y = Neg (x)
            }
            """);
        Assert.Throws<InvariantException>(() => Differentiator.Differentiate(model, model.Graph.Outputs[0], [model.Graph.Inputs[0]]));
        Assert.Throws<InvariantException>(() => Differentiator.Differentiate(model, model.Graph.Outputs[0], [model.Graph.Inputs[1]]));
    }

    private static Model Parse(string text)
    {
        Model model = ModelText.Parse(text);
        ShapeInference.Infer(model);
        return model;
    }
}
