using SamCompress.IR;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Attention;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Attention;

public sealed class LinearizeAttentionTests
{
    private static readonly LinearizeAttention TwoScales = new(new AttentionSelection(), multiScale: true);

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

    /// <summary>The projection does not read the further heads yet.</summary>
    [Fact]
    public void A_second_scale_changes_nothing_at_first() => Snapshot.Match(AttentionCheck.Apply(SamBlockText.Global(4, 6), StandardPipeline.Rewrite(TwoScales), AttentionCheck.Linearize));

    /// <summary>By hand: query, key and value and their local means as heads side by side, in the quadratic form; the projection reads all of them.</summary>
    [Fact]
    public void Two_scales_equal_their_quadratic_form()
    {
        using Model actual = AttentionCheck.Parse(SamBlockText.Global(4, 6));
        new PassPipeline(StandardPipeline.Rewrite(TwoScales)).Run(actual, PassCheck.Context());
        using Model expected = ModelText.Parse("""
            g (float[1,4,6,6] x) => (float[1,4,6,5] y)
            <float[1] w = {0}, float[1] b = {0}, float[1] pw = {0}, float[1] pb = {0}, float[1] kernel = {0}, float eps = {0.000001},
             int64[5] split = {24, 2, 3, 2, 2}, int64[4] merge = {1, 4, 6, 8}, int64[1] zero = {0}, int64[1] last = {-1}>
            {
                m = MatMul (x, w)
                a = Add (m, b)
                map = Transpose <perm = [0, 3, 1, 2]> (a)
                means = Conv <group = 12, kernel_shape = [5, 5], pads = [2, 2, 2, 2]> (map, kernel)
                rows = Transpose <perm = [0, 2, 3, 1]> (means)
                both = Concat <axis = 3> (a, rows)
                r = Reshape (both, split)
                t = Transpose <perm = [2, 1, 3, 0, 4]> (r)
                q5, k5, v5 = Split <axis = 0, num_outputs = 3> (t)
                q = Squeeze (q5, zero)
                k = Squeeze (k5, zero)
                v = Squeeze (v5, zero)
                qr = Relu (q)
                kr = Relu (k)
                kt = Transpose <perm = [0, 1, 3, 2]> (kr)
                l = MatMul (qr, kt)
                sum = ReduceSum (l, last)
                divisor = Add (sum, eps)
                p = Div (l, divisor)
                o = MatMul (p, v)
                ot = Transpose <perm = [2, 0, 1, 3]> (o)
                h = Reshape (ot, merge)
                pm = MatMul (h, pw)
                y = Add (pm, pb)
            }
            """, 18);
        var random = new Random(7);
        float[] projection = [.. Enumerable.Range(0, 40).Select(_ => (2 * random.NextSingle()) - 1)];
        double[] bell = [.. Enumerable.Range(0, 25).Select(i => Math.Exp(-(Math.Pow((i / 5) - 2, 2) + Math.Pow((i % 5) - 2, 2)) / 2))];
        float[] kernels = [.. Enumerable.Range(0, 12).SelectMany(_ => bell.Select(e => (float)(e / bell.Sum())))];
        Set(expected, "w", Of(actual, "w"));
        Set(expected, "b", Of(actual, "b"));
        Set(expected, "pb", Of(actual, "pb"));
        Set(expected, "kernel", Tensor.Of(kernels, 12, 1, 5, 5));
        Set(expected, "pw", Tensor.Of(projection, 8, 5));
        Set(actual, actual.Graph.Initializers.Single(v => v.Name.Contains("_scales", StringComparison.Ordinal)).Name, Tensor.Of(projection, 8, 5));
        NumericAssert.Close(expected, actual, AttentionCheck.MaxRelative);

        static Tensor Of(Model model, string name) => model.Graph.Initializers.Single(v => v.Name == name).Initializer!;
        static void Set(Model model, string name, Tensor tensor) => model.Graph.SetInitializer(model.Graph.Initializers.Single(v => v.Name == name), tensor);
    }

    /// <summary>Beyond one scale: 25 products for each of 12 channels of 24 tokens, 2 N d (d + 1) in each of 2 heads, 4 x 5 for each token in the projection.</summary>
    [Fact]
    public void Costs_of_a_second_scale()
    {
        using Model one = AttentionCheck.Parse(SamBlockText.Global(4, 6)), two = AttentionCheck.Parse(SamBlockText.Global(4, 6));
        new PassPipeline(StandardPipeline.Rewrite(new LinearizeAttention(new AttentionSelection()))).Run(one, PassCheck.Context());
        new PassPipeline(StandardPipeline.Rewrite(TwoScales)).Run(two, PassCheck.Context());
        Assert.Equal((25 * 12 * 24) + (2 * 2 * 24 * 2 * 3) + (24 * 4 * 5), CostModel.Measure(two).Macs.Total - CostModel.Measure(one).Macs.Total);
    }

    [Fact]
    public void Refuses_a_second_scale_of_tokens_that_are_no_map() => AttentionCheck.Refuses(
        AttentionText.Fused.Replace("[1,4,", "[1,6,", StringComparison.Ordinal).With("split = {1, 4, 3, 2, 2}", "split = {1, 6, 3, 2, 2}").With("merge = {1, 4, 4}", "merge = {1, 6, 4}"), TwoScales, "its tokens are no map with known sides");

    [Fact]
    public void Refuses_a_second_scale_before_a_projection_that_is_no_matmul() => AttentionCheck.Refuses(
        AttentionText.Fused.With("[1,4,5] y", "[4,5] y").With("merge = {1, 4, 4}", "merge = {4, 4}").With("int64[3] merge", "int64[2] merge").With("pm = MatMul (h, pw)\n    y = Add (pm, pb)", "y = Gemm (h, pw, pb)"), TwoScales, "its projection is no MatMul");

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
