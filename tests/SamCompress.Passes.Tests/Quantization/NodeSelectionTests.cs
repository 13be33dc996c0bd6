using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class NodeSelectionTests
{
    [Theory]
    [InlineData("/blocks.0/lin1", "/blocks.0/lin1")]
    [InlineData("/blocks.*", "/blocks.0/lin1 /blocks.1/lin1")]
    [InlineData("*lin?", "/blocks.0/lin1 /blocks.1/lin1")]
    [InlineData("re:^/(head|blocks\\.1)", "/blocks.1/lin1 /head")]
    public void Names_are_exact_globs_or_regular_expressions(string pattern, string excluded)
    {
        using Model model = Model();
        IReadOnlyList<QuantizableLayer> layers = LayerFinder.Find(model.Graph);
        IReadOnlyList<string?> reasons = new NodeSelection { NodesToExclude = [pattern] }.Select(layers);
        Assert.Equal(excluded, string.Join(' ', layers.Where((_, i) => reasons[i] is not null).Select(l => l.Name)));

        reasons = new NodeSelection { NodesToQuantize = [pattern] }.Select(layers);
        Assert.Equal(excluded, string.Join(' ', layers.Where((_, i) => reasons[i] is null).Select(l => l.Name)));
    }

    [Fact]
    public void Op_types_select_too()
    {
        using Model model = Model();
        IReadOnlyList<QuantizableLayer> layers = LayerFinder.Find(model.Graph);
        Assert.Equal([null, null, "op type Gemm is excluded"], new NodeSelection { OpTypesToExclude = ["Gemm"] }.Select(layers));
        Assert.Equal([null, null, "not among the op types to quantize"], new NodeSelection { OpTypesToQuantize = ["MatMul"] }.Select(layers));
    }

    [Fact]
    public void What_matches_nothing_is_an_error_with_near_names()
    {
        SamCompressException e = Refused(new NodeSelection { NodesToExclude = ["/blocks.0/lin2"] });
        Assert.Equal("--nodes-to-exclude '/blocks.0/lin2' matches no layer", e.Message);
        Assert.StartsWith("near names: /blocks.0/lin1", e.Hint, StringComparison.Ordinal);
        Assert.Contains("Conv", Refused(new NodeSelection { OpTypesToExclude = ["Conv"] }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Contradictions_and_malformed_expressions_are_errors()
    {
        Assert.Contains("/head", Refused(new NodeSelection { NodesToExclude = ["/head"], NodesToQuantize = ["/he*"] }).Message, StringComparison.Ordinal);
        Assert.Contains("Gemm", Refused(new NodeSelection { OpTypesToExclude = ["Gemm"], OpTypesToQuantize = ["Gemm"] }).Message, StringComparison.Ordinal);
        Assert.Contains("no regular expression", Refused(new NodeSelection { NodesToExclude = ["re:("] }).Message, StringComparison.Ordinal);
    }

    private static SamCompressException Refused(NodeSelection selection)
    {
        using Model model = Model();
        SamCompressException e = Assert.Throws<SamCompressException>(() => selection.Select(LayerFinder.Find(model.Graph)));
        Assert.Equal(FailureKind.Usage, e.Kind);
        return e;
    }

    private static Model Model() => ModelText.Parse("""
        g (float[2,2] X) => (float[2,2] Y)
        <float[2,2] W = {1, 2, 3, 4}>
        {
            ["/blocks.0/lin1"] A = MatMul (X, W)
            ["/blocks.1/lin1"] B = MatMul (A, W)
            ["/head"] Y = Gemm (B, W)
        }
        """, opset: 17);
}
