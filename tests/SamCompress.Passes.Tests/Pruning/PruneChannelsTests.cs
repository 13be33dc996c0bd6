using SamCompress.IR;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Targets;
using SamCompress.Passes.Tests.Attention;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Pruning;

public sealed class PruneChannelsTests
{
    /// <summary>The sums are the same but for terms that are zero, added in another order.</summary>
    private const double Rounding = 1e-5;

    [Fact]
    public void Takes_a_channel_from_all_heads_of_padded_windows() => Snapshot.Match(BeforeAndAfter(
        SamBlockText.Windowed(5, 4, 3), [1], "the heads have 2 channels: keep the second"));

    [Fact]
    public void Takes_hidden_channels_of_an_mlp() => Snapshot.Match(BeforeAndAfter($$"""
        g (float[3,2] x) => (float[3,2] y)
        <float[2,4] a = {{PruningCheck.Numbers(8, 1)}}, float[4] ab = {{PruningCheck.Numbers(4, 2)}}, float[4,2] b = {{PruningCheck.Numbers(8, 3)}}, float[2] bb = {{PruningCheck.Numbers(2, 4)}}>
        {
            m = MatMul (x, a)
            n = Add (ab, m)
            g = Gelu (n)
            o = MatMul (g, b)
            y = Add (o, bb)
        }
        """, [0, 2], "of 4 hidden channels keep the first and the third"));

    [Fact]
    public void Takes_channels_of_a_depthwise_convolution() => Snapshot.Match(BeforeAndAfter($$"""
        g (float[1,2,4,4] x) => (float[1,2,4,4] y)
        <float[4,2,1,1] a = {{PruningCheck.Numbers(8, 1)}}, float[4] ab = {{PruningCheck.Numbers(4, 2)}}, float[4,1,3,3] d = {{PruningCheck.Numbers(36, 3)}}, float[4] db = {{PruningCheck.Numbers(4, 4)}},
         float[2,4,1,1] b = {{PruningCheck.Numbers(8, 5)}}>
        {
            m = Conv (x, a, ab)
            g = Gelu (m)
            n = Conv <group = 4, pads = [1, 1, 1, 1]> (g, d, db)
            h = HardSwish (n)
            y = Conv (h, b)
        }
        """, [0, 3], "of 4 channels keep the first and the last"));

    /// <summary>Heads that hold query, key and value, groups of convolutions, a split, a pad behind the value: as the linear attention of EfficientViT.</summary>
    [Fact]
    public void Takes_a_channel_from_groups_of_a_convolution_and_splits() => Snapshot.Match(BeforeAndAfter($$"""
        g (float[1,2,2,3] x) => (float[1,2,2,3] y)
        <float[12,2,1,1] qkv = {{PruningCheck.Numbers(24, 1)}}, float[12,2,1,1] mix = {{PruningCheck.Numbers(24, 2)}}, float[2,8,1,1] p = {{PruningCheck.Numbers(16, 3)}},
         int64[4] heads = {1, 4, 6, 6}, int64[3] parts = {2, 2, 2}, int64[8] pads = {0, 0, 0, 0, 0, 0, 1, 0}, float one = {1}, int64[2] last = {2, 1}, float eps = {10}, int64[4] map = {1, 8, 2, 3}>
        {
            m = Conv (x, qkv)
            n = Conv <group = 6> (m, mix)
            j = Concat <axis = 1> (m, n)
            r = Reshape (j, heads)
            q, k, v = Split <axis = 2> (r, parts)
            qr = Relu (q)
            kr = Relu (k)
            kt = Transpose <perm = [0, 1, 3, 2]> (kr)
            vp = Pad (v, pads, one)
            s = MatMul (vp, kt)
            o = MatMul (s, qr)
            t, z = Split <axis = 2> (o, last)
            e = Add (z, eps)
            d = Div (t, e)
            b = Reshape (d, map)
            y = Conv (b, p)
        }
        """, [1], "of 2 channels a head keep the second"));

    [Fact]
    public void Slices_beside_a_cut_axis_move() => Snapshot.Match(BeforeAndAfter($$"""
        g (float[3,2] x) => (float[3,2] y)
        <float[2,6] a = {{PruningCheck.Numbers(12, 1)}}, float[3,2] b = {{PruningCheck.Numbers(6, 2)}}, int64[1] start = {3}, int64[1] zero = {0}, int64[1] three = {3}, int64[1] end = {9223372036854775807}, int64[1] axis = {1}>
        {
            m = MatMul (x, a)
            s = Slice (m, zero, three, axis)
            t = Slice (m, start, end, axis)
            u = Mul (s, t)
            y = MatMul (u, b)
        }
        """, [0, 2], "of 3 channels, twice in the weight, keep the first and the third"));

    /// <summary>Algorithms 6.6: masked by hand in query, key and value (columns t * width + h * size + c) and in lin1; nothing of the groups is asked.</summary>
    [Theory]
    [InlineData("sam-nano/encoder", 6)]
    [InlineData("sam-nano-hard/encoder", 6)]
    public void Slicing_is_masking_where_nothing_normalizes(string name, int heads) => AssertSlicingIsMasking(name, heads);

    [Theory]
    [InlineData("sam_b_encoder", 12)]
    [Trait("Category", "Long")]
    public void Slicing_is_masking_in_SAM(string name, int heads) => AssertSlicingIsMasking(name, heads);

    /// <summary>Every member of every group is zeroed; what convolutions hold between them, and linear attention, too.</summary>
    [Theory]
    [InlineData("mobilesam_encoder")]
    [InlineData("efficientvit_sam_l0_encoder")]
    [Trait("Category", "Long")]
    public void Slicing_is_masking_of_all_members(string name)
    {
        using Model pruned = PruningCheck.Open(name), masked = PruningCheck.Open(name);
        PruningPlan plan = PruningCheck.RandomPlan(pruned, new PruningOptions { AttentionRatio = 0.25, MlpRatio = 0.25, ConvRatio = 0.25 });
        IReadOnlyList<ChannelGroup> groups = ChannelGroupFinder.Find(masked).Groups;
        plan = plan with { Groups = [.. plan.Groups.Where(p => !groups.Single(g => g.Name == p.Group).IsNormalized)] };
        foreach (GroupPlan decided in plan.Groups)
        {
            foreach (ChannelMember member in groups.Single(g => g.Name == decided.Group).Members)
                PruningCheck.Zero(masked, member.Reader.Input(member.InputIndex)!, index => member.Channels[(int)index[member.Axis]] is >= 0 and var channel && !decided.Kept.Contains(channel));
        }

        PruningCheck.Prune(pruned, plan);

        NumericAssert.Close(masked, pruned, Rounding);
    }

    /// <summary>Algorithms 1.4 and 6.1, for what both exporters write. MACs in G: linear, attention, relative positions.</summary>
    [Theory]
    [InlineData(0.5, 0, 45_209_472, 185.56, 114.88, 2.45)]
    [InlineData(0.77, 0, 20_199_912, 82.54, 114.88, 2.45)]
    [InlineData(0.5, 0.5, 23_897_216, 94.79, 57.44, 1.23)]
    [InlineData(0.77, 0.77, 5_658_968, 20.89, 25.13, 0.54)]
    public void SlimSAM_has_the_published_size(double embedding, double bottleneck, long parameters, double linear, double attention, double relativePosition)
    {
        foreach (string name in new[] { "sam_b_encoder", "sam_b_encoder_dynamo" })
        {
            using Model model = PruningCheck.Open(name);
            PruningCheck.Prune(model, PruningCheck.RandomPlan(model, new PruningOptions { EmbeddingRatio = embedding, AttentionRatio = bottleneck, MlpRatio = bottleneck, RoundTo = 12 }));

            ModelCost cost = CostModel.Measure(model);
            Assert.Equal(parameters, cost.Parameters);
            Assert.Equal([linear, attention, relativePosition], new[] { cost.Macs.Linear, cost.Macs.Attention, cost.Macs.RelativePosition }.Select(m => Math.Round(m / 1e9, 2)));
            Assert.Empty(cost.Uncounted);
        }
    }

    /// <summary>What quantization, rewrites and the fusions for a target see is an attention as before, with fewer channels.</summary>
    [Theory]
    [InlineData(0.5, 32)]
    [InlineData(0.77, 14)]
    public void Attention_is_found_again(double ratio, int headSize)
    {
        using Model model = PruningCheck.Open("sam_b_encoder");
        PruningCheck.Prune(model, PruningCheck.RandomPlan(model, new PruningOptions { EmbeddingRatio = ratio, AttentionRatio = ratio, MlpRatio = ratio, RoundTo = 12 }));

        SelfAttentionView view = SelfAttentionReader.Read(model);
        Assert.Empty(view.Misses);
        Assert.Equal(12, view.Attentions.Count);
        Assert.All(view.Attentions, a => Assert.Equal((12, headSize, 0.125), (a.Heads, a.HeadSize, a.Scale)));

        using Model whole = PruningCheck.Open("sam_b_encoder");
        Assert.Equal(Fused(whole), Fused(model));
    }

    /// <summary>How many nodes of each operator work on activations once attention is written for a target; smaller tables fold where larger ones stay nodes.</summary>
    private static SortedDictionary<string, int> Fused(Model model)
    {
        new PassPipeline(StandardPipeline.FuseForTarget(TargetDescription.Load(TargetDescription.Default))).Run(model, PassCheck.Context());
        var constants = new ConstantFlow(model.Graph);
        return new(model.Graph.Nodes.Where(n => !constants.IsConstant(n)).GroupBy(n => n.OpType).ToDictionary(g => g.Key, g => g.Count()), StringComparer.Ordinal);
    }

    [Fact]
    public void A_second_plan_can_follow_the_first()
    {
        using Model model = PruningCheck.Open("sam-nano/encoder");
        PruningCheck.Prune(model, PruningCheck.RandomPlan(model, new PruningOptions { EmbeddingRatio = 0.5 }));
        PruningPlan second = PruningCheck.RandomPlan(model, new PruningOptions { MlpRatio = 0.5 });
        PruningCheck.Prune(model, second);

        Assert.All(ChannelGroupFinder.Find(model).Groups.Where(g => g.Kind == ChannelGroupKind.MlpHidden), g => Assert.Equal(second.Groups[0].Kept.Length, g.Size));
    }

    [Fact]
    public void A_plan_for_another_model_is_a_bug()
    {
        using Model model = PruningCheck.Open("sam-nano/encoder");
        GroupPlan decided = PruningCheck.RandomPlan(model, new PruningOptions { MlpRatio = 0.5 }).Groups[0];
        string before = ModelText.Print(model);

        Assert.Throws<InvariantException>(() => new PruneChannels(new PruningPlan([decided with { Group = "unknown" }])).Apply(model, new PassContext()));
        Assert.Throws<InvariantException>(() => new PruneChannels(new PruningPlan([decided with { Size = decided.Size + 1 }])).Apply(model, new PassContext()));
        Assert.Throws<InvariantException>(() => new PruneChannels(new PruningPlan([decided with { Kept = [] }])).Apply(model, new PassContext()));
        Assert.Equal(before, ModelText.Print(model));
    }

    [Fact]
    public void Nothing_is_done_beyond_the_limit_of_steps()
    {
        using Model model = PruningCheck.Open("sam-nano/encoder");
        PruningPlan plan = PruningCheck.RandomPlan(model, new PruningOptions { MlpRatio = 0.5 });

        Assert.Equal(2, new PruneChannels(plan).Apply(model, new PassContext { Steps = new StepLog { Limit = 2 } }));

        int kept = plan.Groups[0].Kept.Length;
        Assert.Equal([kept, kept], ChannelGroupFinder.Find(model).Groups.Where(g => g.Kind == ChannelGroupKind.MlpHidden).Take(2).Select(g => g.Size));
        Assert.Equal(plan.Groups[2].Size, ChannelGroupFinder.Find(model).Groups.Where(g => g.Kind == ChannelGroupKind.MlpHidden).ElementAt(2).Size);
    }

    /// <summary>Prunes the only group, and compares with the model whose other channels are zero.</summary>
    private static string BeforeAndAfter(string text, int[] kept, string what)
    {
        using Model before = PruningCheck.Parse(text), masked = PruningCheck.Parse(text), after = PruningCheck.Parse(text);
        ChannelGroup group = Assert.Single(ChannelGroupFinder.Find(masked).Groups);
        foreach (ChannelMember member in group.Members)
            PruningCheck.Zero(masked, member.Reader.Input(member.InputIndex)!, index => member.Channels[(int)index[member.Axis]] is >= 0 and var channel && !kept.Contains(channel));
        PruningCheck.Prune(after, new PruningPlan([new GroupPlan { Group = group.Name, Kind = group.Kind, Size = group.Size, Kept = [.. kept], Why = what }]));

        NumericAssert.Close(masked, after, Rounding);
        return $"{what}\nbefore:\n{ModelText.Print(before)}\nafter:\n{ModelText.Print(after)}";
    }

    private static void AssertSlicingIsMasking(string name, int heads)
    {
        using Model pruned = PruningCheck.Open(name), masked = PruningCheck.Open(name);
        PruningPlan plan = PruningCheck.RandomPlan(pruned, new PruningOptions { AttentionRatio = 0.5, MlpRatio = 0.25 });
        foreach (GroupPlan decided in plan.Groups)
        {
            Value bias = masked.Graph.Initializers.Single(v => v.Name == decided.Group + ".bias");
            Node add = Assert.Single(bias.Uses).Node;
            Value weight = add.Inputs.Single(v => v != bias)!.Producer!.Input(1)!;
            Assert.Equal(decided.Kind == ChannelGroupKind.AttentionHead ? 3 * heads * decided.Size : decided.Size, weight.Constant!.Dimensions[1]);
            bool IsLost(long column) => !decided.Kept.Contains((int)(column % decided.Size));
            PruningCheck.Zero(masked, weight, index => IsLost(index[1]));
            PruningCheck.Zero(masked, bias, index => IsLost(index[0]));
        }

        PruningCheck.Prune(pruned, plan);

        Assert.True(CostModel.Measure(pruned).Parameters < CostModel.Measure(masked).Parameters);
        NumericAssert.Close(masked, pruned, Rounding);
    }
}
