using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Quantization;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Attention;

public sealed class FoldRelativePositionTests
{
    [Fact]
    public void One_product_with_a_one_hot_basis_takes_the_place_of_two_sums() =>
        Snapshot.Match(AttentionCheck.Apply(SamBlockText.Global(2, 3), StandardPipeline.Rewrite(new FoldRelativePosition(new AttentionSelection()))));

    [Fact]
    public void Is_exact_on_a_real_encoder_and_read_again()
    {
        using Model expected = AttentionCheck.Prepared("sam-nano/encoder");
        using Model actual = AttentionCheck.Prepared("sam-nano/encoder");
        new PassPipeline(StandardPipeline.Rewrite(new FoldRelativePosition(new AttentionSelection([0, 1, 2, 3, 4, 5])))).Run(actual, PassCheck.Context());
        NumericAssert.Close(expected, actual, AttentionCheck.MaxRelative);
        IReadOnlyList<SelfAttention> read = SelfAttentionReader.Read(actual).Attentions;
        Assert.Equal(6, read.Count);
        Assert.All(read, a => Assert.True(a.Position is DecomposedPosition { IsFolded: true }));
    }

    [Fact]
    public void The_product_with_the_basis_is_no_layer_to_quantize()
    {
        using Model model = AttentionCheck.Parse(SamBlockText.Global(2, 3));
        int layers = LayerFinder.Find(model.Graph).Count;
        new PassPipeline(StandardPipeline.Rewrite(new FoldRelativePosition(new AttentionSelection()))).Run(model, PassCheck.Context());
        Assert.Equal(layers, LayerFinder.Find(model.Graph).Count);
    }

    [Fact]
    public void Refuses_attention_without_positions() => AttentionCheck.Refuses(
        AttentionText.Fused, new FoldRelativePosition(new AttentionSelection()), "it has no decomposed relative position");

    [Fact]
    public void Refuses_to_fold_twice()
    {
        using Model model = AttentionCheck.Parse(SamBlockText.Global(2, 3));
        var pass = new FoldRelativePosition(new AttentionSelection());
        new PassPipeline(StandardPipeline.Rewrite(pass)).Run(model, PassCheck.Context());
        Assert.EndsWith("its relative positions are folded already", Assert.Throws<SamCompressException>(() => pass.Apply(model, PassCheck.Context())).Message, StringComparison.Ordinal);
    }
}
