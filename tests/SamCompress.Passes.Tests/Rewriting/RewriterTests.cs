using SamCompress.IR;
using SamCompress.Passes.Rewriting;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Rewriting;

public sealed class RewriterTests
{
    private const string Gelu =
        "g (float[4] x) => (float[4] y) <float half = {0.5}, float one = {1}, float root = {1.4142135}> { NODES }";

    [Theory]
    [InlineData("a = Mul (x, half) b = Div (x, root) c = Erf (b) d = Add (c, one) y = Mul (a, d)")]
    [InlineData("a = Mul (half, x) b = Div (x, root) c = Erf (b) d = Add (one, c) y = Mul (d, a)")]
    public void Commutative_operators_match_in_either_order(string nodes)
    {
        using Model model = ModelText.Parse(Gelu.Replace("NODES", nodes, StringComparison.Ordinal));
        Assert.Equal(1, new Rewriter(new ExactGelu()).Apply(model, PassCheck.Context()));
        Assert.Equal(["Gelu"], model.Graph.Nodes.Select(n => n.OpType));
    }

    [Fact]
    public void A_variable_in_two_places_means_the_same_value()
    {
        const string Nodes = "z = Neg (x) a = Mul (z, half) b = Div (x, root) c = Erf (b) d = Add (c, one) y = Mul (a, d)";
        PassContext context = PassCheck.LeavesAlone(Gelu.Replace("NODES", Nodes, StringComparison.Ordinal), new Rewriter(new ExactGelu()));
        Rejection nearest = context.NearestMisses["exact-gelu"];
        Assert.Equal(("the rest of the pattern does not match", 5), (nearest.Reason, nearest.MatchedNodes));
    }

    [Fact]
    public void A_value_that_something_else_reads_stops_the_match()
    {
        const string Nodes = "a = Mul (x, half) b = Div (x, root) c = Erf (b) d = Add (c, one) y = Mul (a, d)";
        string text = Gelu.Replace("(float[4] y)", "(float[4] y, float[4] c)", StringComparison.Ordinal).Replace("NODES", Nodes, StringComparison.Ordinal);
        PassContext context = PassCheck.LeavesAlone(text, new Rewriter(new ExactGelu()));
        Assert.Equal("'c' is used outside the match", context.NearestMisses["exact-gelu"].Reason);
    }

    [Fact]
    public void A_refused_match_leaves_no_node_behind()
    {
        PassContext context = PassCheck.LeavesAlone("g (float[4] x) => (float[4] y) { y = Neg (x) }", new Rewriter(new BuildsAndRefuses()));
        Assert.Equal("changed its mind", context.NearestMisses["builds-and-refuses"].Reason);
    }

    [Fact]
    public void A_result_of_another_shape_is_a_bug_of_the_rule()
    {
        using Model model = ModelText.Parse("g (float[4] x) => (float[4] y) { a = Neg (x) y = Relu (a) }");
        IR.Analysis.ShapeInference.Infer(model);
        Assert.Throws<InvariantException>(() => new Rewriter(new ChangesShape()).Apply(model, PassCheck.Context()));
    }

    [Fact]
    public void New_nodes_are_looked_at_again()
    {
        using Model model = ModelText.Parse("g (float[4] x) => (float[4] y) { a = Abs (x) y = Abs (a) }");
        Assert.Equal(4, new Rewriter("chain", [new AbsToNeg(), new NegToRelu()]).Apply(model, PassCheck.Context()));
        Assert.Equal(["Relu", "Relu"], model.Graph.Nodes.Select(n => n.OpType));
    }

    [Fact]
    public void What_replaces_a_value_goes_by_its_name()
    {
        using Model model = ModelText.Parse("g (float[4] x) => (float[4] y) { [absolute] a = Abs (x) y = Sqrt (a) }");
        new Rewriter(new AbsToNeg()).Apply(model, PassCheck.Context());
        Assert.Equal(("absolute", "a", "Neg"), (model.Graph.Nodes.First!.Name, model.Graph.Nodes.First.Output.Name, model.Graph.Nodes.First.OpType));
    }

    private sealed class ExactGelu : RewriteRule
    {
        private readonly ValuePattern _x = Any();

        protected override ValuePattern Pattern => Mul(Mul(_x, Scalar(0.5f)), Add(Erf(Div(_x, Scalar(MathF.Sqrt(2)))), Scalar(1f)));

        protected override Value? Rewrite(Match match, GraphBuilder graph) => graph.Gelu(match[_x]);
    }

    private sealed class BuildsAndRefuses : RewriteRule
    {
        private readonly ValuePattern _x = Any();

        protected override ValuePattern Pattern => Op("Neg", _x);

        protected override Value? Rewrite(Match match, GraphBuilder graph)
        {
            graph.Op("Abs", [graph.Op("Sqrt", [match[_x]])]);
            return match.Reject("changed its mind");
        }
    }

    private sealed class ChangesShape : RewriteRule
    {
        private readonly ValuePattern _x = Any();

        protected override ValuePattern Pattern => Op("Neg", _x);

        protected override Value? Rewrite(Match match, GraphBuilder graph) => graph.Reshape(match[_x], 2, 2);
    }

    private sealed class AbsToNeg : RewriteRule
    {
        private readonly ValuePattern _x = Any();

        protected override ValuePattern Pattern => Op("Abs", _x);

        protected override Value? Rewrite(Match match, GraphBuilder graph) => graph.Op("Neg", [match[_x]]);
    }

    private sealed class NegToRelu : RewriteRule
    {
        private readonly ValuePattern _x = Any();

        protected override ValuePattern Pattern => Op("Neg", _x);

        protected override Value? Rewrite(Match match, GraphBuilder graph) => graph.Op("Relu", [match[_x]]);
    }
}
