using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Attention;

public sealed class LinearizeAttentionTests
{
    [Fact]
    public void The_associative_form_equals_the_quadratic_one() => Snapshot.Match(AttentionCheck.Apply(
        SamBlockText.Global(4, 6), StandardPipeline.Rewrite(new LinearizeAttention(new AttentionSelection())), AttentionCheck.Linearize));

    [Fact]
    public void Works_where_heads_hold_query_key_and_value() =>
        AttentionCheck.Apply(AttentionText.Interleaved, StandardPipeline.Rewrite(new LinearizeAttention(new AttentionSelection())), AttentionCheck.Linearize);

    [Fact]
    public void A_query_without_a_positive_channel_gives_zero()
    {
        using Model model = AttentionCheck.Parse(AttentionText.Fused.With("float c = {0.7}", "float c = {0.7}, float[12] low = {-99, -99, -99, -99, 0, 0, 0, 0, 0, 0, 0, 0}, float[5] none = {0, 0, 0, 0, 0}")
            .With("a = Add (m, b)", "a = Add (m, low)").With("y = Add (pm, pb)", "y = Add (pm, none)"));
        using Model zero = AttentionCheck.Parse("g (float[1,4,6] x) => (float[1,4,5] y) <float[6,5] nothing = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}> { y = MatMul (x, nothing) }");
        new PassPipeline(StandardPipeline.Rewrite(new LinearizeAttention(new AttentionSelection()))).Run(model, PassCheck.Context());
        NumericAssert.Close(zero, model, 0);
    }

    [Fact]
    public void Refuses_windows() => AttentionCheck.Refuses(SamBlockText.Windowed(3, 4, 2), new LinearizeAttention(new AttentionSelection([0])), "it is cut into windows or phases already");

    [Fact]
    public void Refuses_an_epsilon_of_zero() => AttentionCheck.Refuses(SamBlockText.Global(2, 2), new LinearizeAttention(new AttentionSelection(), 0), "epsilon must be positive");

    [Fact]
    public void Equals_the_quadratic_form_in_the_global_blocks_of_a_real_encoder()
    {
        using Model expected = AttentionCheck.Prepared("sam-nano/encoder");
        using Model actual = AttentionCheck.Prepared("sam-nano/encoder");
        foreach (SelfAttention attention in SelfAttentionReader.Read(expected).Attentions.Where(a => a.IsGlobal).ToList())
        {
            Node softmax = attention.Softmax, product = attention.Block.QueryKey!.Node;
            Graph graph = expected.Graph;
            Value Op(string type, params Value[] inputs) => graph.InsertBefore(softmax, type, inputs, [graph.FreshName("by_hand")]).Output;
            Value weights = Op("MatMul", Op("Relu", product.Input(0)!), Op("Relu", product.Input(1)!));
            Value sum = Op("ReduceSum", weights, graph.AddInitializer(graph.FreshName("axes"), Tensor.Vector(-1)));
            // The query of the exporter holds the factor of the logits: of a quotient only epsilon sees it.
            Value epsilon = graph.AddInitializer(graph.FreshName("epsilon"), Tensor.Scalar(1e-6f * (float)attention.Scale));
            softmax.Output.ReplaceUsesWith(Op("Div", weights, Op("Add", sum, epsilon)));
        }

        new PassPipeline(StandardPipeline.Rewrite(new LinearizeAttention(new AttentionSelection()))).Run(actual, PassCheck.Context());
        NumericAssert.Close(expected, actual, AttentionCheck.MaxRelative);
    }
}
