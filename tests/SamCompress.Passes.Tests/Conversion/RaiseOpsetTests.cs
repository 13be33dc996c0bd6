using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Conversion;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Conversion;

public sealed class RaiseOpsetTests
{
    [Fact]
    public void Axes_become_inputs_and_splits_count_their_parts() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,6] x) => (float[2,1] mean, float[2,2] a, float[2,2] b, float[2,2] c, float[] whole)
        {
            mean = ReduceMean <axes = [1]> (x)
            whole = ReduceMax <keepdims = 0> (x)
            a, b, c = Split <axis = 1> (x)
        }
        """,
        new RaiseOpset(),
        opset: 17));

    [Fact]
    public void A_split_by_sizes_stays() => Assert.DoesNotContain("num_outputs", PassCheck.Apply(
        """
        g (float[6] x) => (float[2] a, float[4] b) <int64[2] sizes = {2, 4}>
        {
            a, b = Split (x, sizes)
        }
        """,
        new RaiseOpset(),
        opset: 13), StringComparison.Ordinal);

    [Fact]
    public void Subgraphs_are_raised_too() => Assert.Contains("_axes", PassCheck.Apply(
        """
        g (float[2,6] x, bool yes) => (float[2,1] y)
        {
            y = If (yes) <
                then_branch = t () => (float[2,1] a) { a = ReduceMean <axes = [1]> (x) },
                else_branch = e () => (float[2,1] b) { b = ReduceMin <axes = [1]> (x) }
            >
        }
        """,
        new RaiseOpset(),
        opset: 16), StringComparison.Ordinal);

    [Fact]
    public void A_later_opset_stays() => PassCheck.LeavesAlone("g (float[2,6] x) => (float[2,6] y) { y = Neg (x) }", new RaiseOpset(), opset: 19);

    [Theory]
    [InlineData(12, "y = Neg (x)", "what changed before 13")]
    [InlineData(15, "y = RoiAlign (x, rois, batch)", "mean something else: RoiAlign")]
    [InlineData(14, "y, m, v = BatchNormalization <training_mode = 1> (x, s, s, s, s)", "mean something else: BatchNormalization")]
    public void What_cannot_be_raised_is_refused(int opset, string node, string reason)
    {
        using Model model = ModelText.Parse($"g (float[1,1,4,4] x, float[1,4] rois, int64[1] batch, float[1] s) => (float[1,1,1,1] y) {{ {node} }}", opset);
        var e = Assert.Throws<SamCompressException>(() => new RaiseOpset().Require(model));
        Assert.Equal(FailureKind.Unsupported, e.Kind);
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sam_b_encoder")]
    [InlineData("efficientvit_sam_l0_encoder")]
    [InlineData("mobilesam_encoder")]
    [InlineData("efficientsam_ti_encoder")]
    public void Exporter_graphs_keep_to_the_format(string name)
    {
        using Model model = ExporterModels.Open(name);
        Assert.Equal(1, new RaiseOpset().Apply(model, PassCheck.Context()));
        Assert.Equal(RaiseOpset.Version, model.Opset());
        Assert.DoesNotContain(GraphChecker.Check(model), d => d.Severity == Severity.Error);
    }

    [Fact]
    public void An_exporter_graph_computes_the_same()
    {
        using Model before = ExporterModels.Open("sam-nano/encoder"), after = ExporterModels.Open("sam-nano/encoder");
        Assert.Equal(1, new RaiseOpset().Apply(after, PassCheck.Context()));
        NumericAssert.EqualBits(before, after);
    }
}
