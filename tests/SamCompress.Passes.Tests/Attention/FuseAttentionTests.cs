using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Targets;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Attention;

public sealed class FuseAttentionTests
{
    private static readonly AttentionRule Products = new(false, 0, 0, long.MaxValue, "");

    private static readonly AttentionRule Fused = new(true, 9, 9, long.MaxValue, "");

    /// <summary>Logits of 6 of 24 queries fit.</summary>
    private static readonly AttentionRule Blocked = new(false, 0, 0, 2 * 6 * 24 * sizeof(float), "");

    [Fact]
    public void Products_of_a_map() => Snapshot.Match(Apply(SamBlockText.Global(4, 6), Products));

    [Fact]
    public void Products_of_padded_windows_behind_the_linear() => Snapshot.Match(Apply(SamBlockText.Windowed(3, 4, 2), Products));

    [Fact]
    public void One_operator() => Snapshot.Match(Apply(SamBlockText.Global(2, 3), Fused));

    [Fact]
    public void One_operator_for_windows() => Apply(SamBlockText.Windowed(3, 4, 2), Fused);

    [Fact]
    public void One_operator_without_positions() => Snapshot.Match(Apply(AttentionText.Fused, Fused));

    [Fact]
    public void Blocks_of_queries() => Snapshot.Match(Apply(SamBlockText.Global(4, 6), Blocked));

    [Fact]
    public void Blocks_without_positions() => Apply(AttentionText.Fused, new AttentionRule(false, 0, 0, 2 * 2 * 4 * sizeof(float), ""));

    [Fact]
    public void Windows_without_padding() => Apply(SamBlockText.Windowed(4, 2, 2), Products);

    [Fact]
    public void Heads_that_hold_query_key_and_value_with_a_table() => Snapshot.Match(Apply(AttentionText.Interleaved, Products));

    [Fact]
    public void A_table_is_no_matter_of_one_operator() => Assert.DoesNotContain("MultiHeadAttention", Apply(AttentionText.Interleaved, Fused), StringComparison.Ordinal);

    [Fact]
    public void A_real_encoder_computes_the_same_in_every_form() => ComputesTheSame("sam-nano/encoder", 6);

    [Fact]
    [Trait("Category", "Long")]
    public void A_large_encoder_with_tables_computes_the_same_in_every_form() => ComputesTheSame("mobilesam_encoder", 10);

    private static void ComputesTheSame(string name, int count)
    {
        foreach (AttentionRule rule in new[] { Products, Fused, new AttentionRule(false, 0, 0, 400_000, "") })
        {
            using Model expected = AttentionCheck.Prepared(name);
            using Model actual = AttentionCheck.Prepared(name);
            Assert.Equal(count, new PassPipeline(Passes(Target(rule))).Run(actual, PassCheck.Context())[0].Changes);
            NumericAssert.Close(expected, actual, AttentionCheck.MaxRelative);
        }
    }

    [Fact]
    public void Large_logits_are_gone_from_the_encoder_of_sam_vit_b()
    {
        using Model model = AttentionCheck.Prepared("sam_b_encoder");
        new PassPipeline(Passes(TargetDescription.Load(TargetDescription.Default))).Run(model, PassCheck.Context());
        Assert.Equal(4, model.Graph.Nodes.Count(n => n.Is("Scan")));
        Assert.True(model.AllGraphs().SelectMany(g => g.Nodes).SelectMany(n => n.Outputs).OfType<Value>().Max(v => v.Shape!.ElementCount * sizeof(float)) <= 64_000_000);
    }

    [Fact]
    public void A_second_run_changes_nothing()
    {
        using Model model = AttentionCheck.Prepared("sam-nano/encoder");
        IReadOnlyList<Pass> passes = Passes(Target(Products));
        new PassPipeline(passes).Run(model, PassCheck.Context());
        string once = ModelText.Print(model);
        new PassPipeline(passes).Run(model, PassCheck.Context());
        Assert.Equal(once, ModelText.Print(model));
    }

    [Fact]
    public void A_target_without_a_rule_leaves_attention_as_it_is() => PassCheck.LeavesAlone(SamBlockText.Global(2, 3), new FuseAttention(TargetDescription.Load("qdq")), 18);

    [Fact]
    public void Attention_that_is_not_understood_is_named_with_the_reason()
    {
        PassContext context = PassCheck.LeavesAlone(SamBlockText.Global(2, 3).With("probs = Softmax <axis = -1> (s)", "n = Neg (s) probs = Softmax <axis = -1> (n)"), new FuseAttention(Target(Products)), 18);
        Assert.Contains(context.Diagnostics, d => d.Message == "attention is left as it is: no product of two activations is found behind the Softmax");
    }

    [Fact]
    public void Operators_of_an_old_opset_are_left_alone() => PassCheck.LeavesAlone(AttentionText.Fused.With("Split <axis = 0, num_outputs = 3> (t)", "Split <axis = 0> (t)")
        .With("Squeeze (q5, zero)", "Squeeze <axes = [0]> (q5)").With("Squeeze (k5, zero)", "Squeeze <axes = [0]> (k5)").With("Squeeze (v5, zero)", "Squeeze <axes = [0]> (v5)"), new FuseAttention(Target(Products)), 12);

    private static string Apply(string text, AttentionRule rule) => AttentionCheck.Apply(text, Passes(Target(rule)));

    /// <summary>The pass, and what takes its leftovers away.</summary>
    private static IReadOnlyList<Pass> Passes(TargetDescription target) => [new FuseAttention(target), new EliminateDeadNodes(), new FoldConstants(), new EliminateUnusedInitializers(), new InferShapes()];

    private static TargetDescription Target(AttentionRule rule) => TargetDescription.Load(TargetDescription.Default) with { Attention = rule };
}
