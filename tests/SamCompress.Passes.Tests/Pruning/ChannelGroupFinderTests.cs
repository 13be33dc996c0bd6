using System.Globalization;
using System.Text;
using SamCompress.IR;
using SamCompress.Passes.Pruning;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Pruning;

public sealed class ChannelGroupFinderTests
{
    [Theory]
    [InlineData("sam_b_encoder")]
    [InlineData("sam_b_encoder_dynamo")]
    [InlineData("mobilesam_encoder")]
    [InlineData("efficientvit_sam_l0_encoder")]
    [InlineData("efficientsam_ti_encoder")]
    [InlineData("sam-nano/encoder")]
    public void Finds_the_channels_of_every_exporter(string name)
    {
        using Model model = PruningCheck.Open(name);
        Snapshot.Match(Describe(ChannelGroupFinder.Find(model)), name.Replace('/', '-'));
    }

    [Fact]
    public void The_hard_sample_model_has_the_groups_of_the_other()
    {
        using Model easy = PruningCheck.Open("sam-nano/encoder"), hard = PruningCheck.Open("sam-nano-hard/encoder");
        Assert.Equal(Describe(ChannelGroupFinder.Find(easy)), Describe(ChannelGroupFinder.Find(hard)));
    }

    /// <summary>Algorithms 3.2: columns t * 768 + h * 64 + c of query, key and value, and rows h * 64 + c of the projection, are channel c; so is column c of the tables.</summary>
    [Fact]
    public void A_channel_of_an_attention_is_the_same_in_all_heads()
    {
        using Model model = PruningCheck.Open("sam_b_encoder");
        ChannelGroup group = ChannelGroupFinder.Find(model).Groups.Single(g => g.Name == "blocks.2.attn.qkv");

        Assert.Equal((64, 12, ChannelGroupKind.AttentionHead), (group.Size, group.Copies, group.Kind));
        Assert.Equal(Enumerable.Range(0, 2304).Select(i => i % 64), group.Members.Single(m => m is { IsWeight: true, IsOutput: true }).Channels);
        Assert.Equal(Enumerable.Range(0, 768).Select(i => i % 64), group.Members.Single(m => m is { IsWeight: true, IsOutput: false }).Channels);
        Assert.Equal(
            ["blocks.2.attn.rel_pos_h", "blocks.2.attn.rel_pos_w"],
            group.Members.Where(m => m.Channels.SequenceEqual(Enumerable.Range(0, 64))).Select(m => m.Initializer).Order(StringComparer.Ordinal));
    }

    /// <summary>Algorithms 3.3: 1 patch convolution, 12 x (q, k and v in one, projection, lin1, lin2), 1 neck.</summary>
    [Fact]
    public void The_embedding_of_SAM_is_one_group_over_all_blocks()
    {
        using Model model = PruningCheck.Open("sam_b_encoder");
        ChannelGroup group = ChannelGroupFinder.Find(model).Groups.Single(g => g.Kind == ChannelGroupKind.Embedding);

        Assert.Equal(1 + (12 * 4) + 1, group.Members.Count(m => m.IsWeight));
        Assert.True(group.IsNormalized);
        Assert.Contains(group.Members, m => m.Initializer == "pos_embed" && m.Axis == 3);
        Assert.Equal(24 * 2, group.Members.Count(m => m.Initializer.Contains(".norm", StringComparison.Ordinal)));
    }

    /// <summary>Equal constants are one initializer after cleanup; that ties nothing.</summary>
    [Fact]
    public void Layers_that_share_a_bias_are_two_groups()
    {
        using Model model = PruningCheck.Parse("""
            g (float[5,2] x) => (float[5,2] y)
            <float[2,3] a = {1, 2, 3, 4, 5, 6}, float[3,2] b = {1, 2, 3, 4, 5, 6}, float[2,3] c = {1, 2, 3, 4, 5, 6}, float[3,2] d = {1, 2, 3, 4, 5, 6}, float[3] zero = {0, 0, 0}>
            {
                m = MatMul (x, a)
                n = Add (m, zero)
                r = Relu (n)
                o = MatMul (r, b)
                p = MatMul (o, c)
                q = Add (p, zero)
                s = Relu (q)
                y = MatMul (s, d)
            }
            """);

        IReadOnlyList<ChannelGroup> groups = ChannelGroupFinder.Find(model).Groups;

        Assert.Equal(3, groups.Count);
        Assert.All(groups, g => Assert.Equal(ChannelGroupKind.MlpHidden, g.Kind));
        Assert.Equal([3, 2, 3], groups.Select(g => g.Size));
    }

    [Fact]
    public void Inputs_side_by_side_are_two_groups_of_one_reader()
    {
        using Model model = PruningCheck.Parse("""
            g (float[5,2] x) => (float[5,2] y) <float[2,2] a = {1, 2, 3, 4}, float[2,3] b = {1, 2, 3, 4, 5, 6}, float[5,2] c = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}>
            {
                m = MatMul (x, a)
                n = MatMul (x, b)
                j = Concat <axis = 1> (m, n)
                y = MatMul (j, c)
            }
            """);

        IReadOnlyList<ChannelGroup> groups = ChannelGroupFinder.Find(model).Groups;

        Assert.Equal([2, 3], groups.Select(g => g.Size));
        Assert.Equal([0, 1, -1, -1, -1], groups[0].Members[^1].Channels.ToArray());
        Assert.Equal([-1, -1, 0, 1, 2], groups[1].Members[^1].Channels.ToArray());
    }

    private const string Weights = "float[2,4] a = {1, 2, 3, 4, 5, 6, 7, 8}, float[4,2] b = {1, 2, 3, 4, 5, 6, 7, 8}";

    /// <summary>Each graph is a Linear, something, a Linear: but for the something, its four channels could go.</summary>
    [Theory]
    [InlineData("r = Relu (m)", "", null)]
    [InlineData("r = Softmax (m)", "", "r (Softmax) runs along it")]
    [InlineData("r = CumSum (m, one)", "int64 one = {1}", "r (CumSum): channels are not followed through this operator")]
    [InlineData("s = ReduceMean <keepdims = 1> (m, axes) r = Sub (m, s)", "int64[1] axes = {1}", "s (ReduceMean) reduces it")]
    [InlineData("r = Gather <axis = 1> (m, order)", "int64[4] order = {3, 2, 1, 0}", "r (Gather) selects from it by number")]
    [InlineData("s = Slice (m, zero, five, one, two) r = Concat <axis = 1> (s, s)", "int64[1] zero = {0}, int64[1] five = {5}, int64[1] one = {1}, int64[1] two = {2}", "s (Slice) takes every 2. of it")]
    [InlineData("r = Pad <mode = \"wrap\"> (m, pads)", "int64[4] pads = {0, 1, 0, -1}", "r (Pad) adds to it what depends on its ends")]
    [InlineData("r = Add (m, x4)", "", "r (Add) adds it to an axis that stays as it is")]
    [InlineData("s = Shape (m) r = Reshape (m, s)", "", "s (Shape): channels are not followed through this operator")]
    [InlineData("s = If <then_branch = t () => (float[3,4] u) { u = Relu (m) }, else_branch = e () => (float[3,4] v) { v = Neg (m) }> (c) r = Identity (s)", "bool c = {1}", "s (If): it holds a subgraph")]
    [InlineData("s = Reshape (m, flat) r = Reshape (s, four)", "int64[2] flat = {2, 6}, int64[2] four = {3, 4}", "s (Reshape): it cuts through an axis in no regular way")]
    [InlineData("s = Unsqueeze (m, one) l = LayerNormalization <axis = 1> (s, g, g) r = Reshape (l, four)", "int64[1] one = {1}, float[1,4] g = {1, 2, 3, 4}, int64[2] four = {3, 4}", "l (LayerNormalization): it normalizes over more than the last axis")]
    public void Refuses_what_it_cannot_follow(string between, string constants, string? reason)
    {
        using Model model = PruningCheck.Parse($"g (float[3,2] x, float[3,4] x4) => (float[3,2] y) <{Weights}{(constants.Length > 0 ? ", " : "")}{constants}> {{ m = MatMul (x, a) {between} y = MatMul (r, b) }}");

        ChannelGroups found = ChannelGroupFinder.Find(model);

        string? refusal = found.Refused.FirstOrDefault(r => r.Size == 4)?.Reason;
        Assert.Equal(reason, refusal);
        Assert.Equal(reason is null, found.Groups.Any(g => g.Size == 4));
    }

    [Fact]
    public void Refuses_a_graph_output_and_unknown_shapes()
    {
        using Model output = PruningCheck.Parse($"g (float[3,2] x) => (float[3,4] m, float[3,2] y) <{Weights}> {{ m = MatMul (x, a) y = MatMul (m, b) }}");
        using Model open = PruningCheck.Parse($"g (float[n,2] x) => (float[n,2] y) <{Weights}> {{ m = MatMul (x, a) y = MatMul (m, b) }}");

        Assert.Equal("'m' is a graph output", ChannelGroupFinder.Find(output).Refused.Single(r => r.Size == 4).Reason);
        Assert.Equal("m (MatMul): the shapes are not known", ChannelGroupFinder.Find(open).Refused.Single(r => r.Size == 4).Reason);
    }

    [Fact]
    public void Refuses_a_depthwise_convolution_that_multiplies_channels()
    {
        using Model model = PruningCheck.Parse("""
            g (float[1,1,4,4] x) => (float[1,1,4,4] y) <float[2,1,1,1] a = {1, 2}, float[4,1,1,1] d = {1, 2, 3, 4}, float[1,4,1,1] b = {1, 2, 3, 4}>
            { m = Conv (x, a) n = Conv <group = 2> (m, d) y = Conv (n, b) }
            """);

        Assert.Equal("n (Conv): each channel becomes several", ChannelGroupFinder.Find(model).Refused.Single(r => r.Size == 2).Reason);
    }

    private static string Describe(ChannelGroups found)
    {
        var text = new StringBuilder();
        foreach (ChannelGroup group in found.Groups)
        {
            text.Append(CultureInfo.InvariantCulture, $"{group.Kind} {group.Name}: {group.Size}{(group.Copies > 1 ? $" x {group.Copies}" : "")}{(group.IsNormalized ? ", normalized" : "")}, {group.Members.Count} members, {group.SizedNodes.Count} sizes\n");
            foreach (ChannelMember member in group.Members.Take(group.Kind == ChannelGroupKind.Embedding ? 6 : 8))
                text.Append(CultureInfo.InvariantCulture, $"  {(member.IsWeight ? member.IsOutput ? "makes" : "reads" : "holds")} {member.Tensor} axis {member.Axis} of {member.Reader.OpType} {member.Initializer}\n");
        }

        foreach (RefusedChannels refused in found.Refused)
            text.Append(CultureInfo.InvariantCulture, $"refused {refused.Name}: {refused.Size}, {refused.Reason}\n");
        return text.ToString();
    }
}
