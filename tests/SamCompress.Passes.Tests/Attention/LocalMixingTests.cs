using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Attention;

/// <summary>Convolutions behind a rewritten attention, by which neighbours mix.</summary>
public sealed class LocalMixingTests
{
    private const int Height = 4, Width = 6, Channels = 4;

    private static readonly DilateAttention Dilated = new(new AttentionSelection(), 2, axes: DilatedAxes.Rows, localKernel: 3);

    [Fact]
    public void Changes_nothing_at_first() => Snapshot.Match(AttentionCheck.Apply(SamBlockText.Global(Height, Width), StandardPipeline.Rewrite(Dilated), MaskRows));

    [Fact]
    public void Changes_nothing_of_linear_attention_at_first() => AttentionCheck.Apply(
        SamBlockText.Global(Height, Width), StandardPipeline.Rewrite(new LinearizeAttention(new AttentionSelection(), localKernel: 5)), AttentionCheck.Linearize);

    /// <summary>By hand: each convolution as a matrix of tokens for every channel.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void Convolves_heads_and_values(int side)
    {
        using Model expected = AttentionCheck.Parse(SamBlockText.Global(Height, Width)), actual = AttentionCheck.Parse(SamBlockText.Global(Height, Width));
        new PassPipeline(StandardPipeline.Rewrite(new DilateAttention(new AttentionSelection(), 2, axes: DilatedAxes.Rows, localKernel: side))).Run(actual, PassCheck.Context());
        float[] ofHeads = Kernels(side, 1), ofValues = Kernels(side, 2);
        SetKernels(actual, ofHeads, ofValues, side);

        MaskRows(expected);
        Graph graph = expected.Graph;
        Node projection = graph.Nodes.Single(n => n.Outputs[0]!.Name == "pm");
        Value heads = projection.Input(0)!;
        Value Op(string type, params Value[] inputs) => graph.InsertBefore(projection, type, inputs, [graph.FreshName("by_hand")]).Output;
        Value Vector(params long[] elements) => graph.AddInitializer(graph.FreshName("vector"), Tensor.Vector(elements));
        Value values = Op("Slice", graph.Nodes.Single(n => n.Outputs[0]!.Name == "a").Output, Vector(8), Vector(12), Vector(3));
        projection.ReplaceInput(0, Op("Add", Convolved(heads, ofHeads), Convolved(values, ofValues)));
        NumericAssert.Close(expected, actual, AttentionCheck.MaxRelative);

        Value Convolved(Value rows, float[] kernels)
        {
            Value matrices = graph.AddInitializer(graph.FreshName("matrices"), Tensor.Of(Matrices(kernels, side), Channels, Height * Width, Height * Width));
            Value channels = Op("Einsum", Op("Reshape", rows, Vector(Height * Width, Channels)), matrices);
            channels.Producer!.SetAttribute(NodeAttribute.Of("equation", "tc,cnt->nc"));
            return Op("Reshape", channels, Vector(1, Height, Width, Channels));
        }
    }

    [Fact]
    public void Finds_values_where_heads_hold_query_key_and_value()
    {
        using Model expected = AttentionCheck.Parse(AttentionText.Interleaved), actual = AttentionCheck.Parse(AttentionText.Interleaved);
        new PassPipeline(StandardPipeline.Rewrite(new LinearizeAttention(new AttentionSelection(), localKernel: 3))).Run(actual, PassCheck.Context());
        var nothing = new float[Channels * 9];
        float[] middle = [.. nothing.Select((_, i) => i % 9 == 4 ? 1f : 0)];
        SetKernels(actual, nothing, middle, 3);

        // The values themselves, in place of what the heads make of them.
        expected.Graph.Nodes.Single(n => n.Outputs[0]!.Name == "o").Output.ReplaceUsesWith(expected.Graph.Nodes.Single(n => n.Is("Split")).Outputs[2]!);
        NumericAssert.Close(expected, actual, AttentionCheck.MaxRelative);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Refuses_a_kernel_without_a_middle_or_neighbours(int side) => AttentionCheck.Refuses(
        SamBlockText.Global(Height, Width), new DilateAttention(new AttentionSelection(), 2, localKernel: side), "a local kernel must have an odd side of at least 3");

    [Fact]
    public void Refuses_tokens_that_are_no_map() => AttentionCheck.Refuses(
        AttentionText.Fused.With("float[1,4,6] x", "float[1,6,6] x").With("float[1,4,5] y", "float[1,6,5] y").With("split = {1, 4, 3, 2, 2}", "split = {1, 6, 3, 2, 2}").With("merge = {1, 4, 4}", "merge = {1, 6, 4}"),
        new LinearizeAttention(new AttentionSelection(), localKernel: 3),
        "its tokens are no map with known sides");

    private static void MaskRows(Model model) => AttentionCheck.Mask(model, Height * Width, (q, k) => q / Width % 2 == k / Width % 2);

    private static void SetKernels(Model model, float[] ofHeads, float[] ofValues, int side) =>
        model.Graph.SetInitializer(model.Graph.Nodes.Single(n => n.Is("Conv")).Input(1)!, Tensor.Of([.. ofHeads, .. ofValues], 2 * Channels, 1, side, side));

    private static float[] Kernels(int side, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Channels * side * side).Select(_ => (2 * random.NextSingle()) - 1)];
    }

    /// <summary>[channel, token, token it reads].</summary>
    private static float[] Matrices(float[] kernels, int side)
    {
        const int tokens = Height * Width;
        var matrices = new float[Channels * tokens * tokens];
        for (int i = 0; i < matrices.Length; i++)
        {
            (int channel, int to, int from) = (i / (tokens * tokens), i / tokens % tokens, i % tokens);
            int y = (from / Width) - (to / Width) + (side / 2), x = (from % Width) - (to % Width) + (side / 2);
            if (y >= 0 && y < side && x >= 0 && x < side)
                matrices[i] = kernels[(((channel * side) + y) * side) + x];
        }

        return matrices;
    }
}
