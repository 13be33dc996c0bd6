using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Rewriting;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests;

public sealed class StepLogTests
{
    private const string Text = "g (float[2] x) => (float[2] y) { a = Identity (x) b = Identity (a) c = Identity (b) y = Neg (c) }";

    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 3)]
    [InlineData(2, 2)]
    [InlineData(9, 1)]
    public void Makes_no_edit_after_the_limit(int limit, int nodes)
    {
        using Model model = ModelText.Parse(Text);
        var context = new PassContext { Steps = new StepLog { Limit = limit } };
        new Rewriter(new EliminateIdentity()).Apply(model, context);
        Assert.Equal(nodes, model.Graph.Nodes.Count);
    }

    [Fact]
    public void Numbers_the_edits()
    {
        using Model model = ModelText.Parse(Text);
        var context = new PassContext { Steps = new StepLog { IsRecording = true } };
        new PassPipeline(new Rewriter(new EliminateIdentity())).Run(model, context);
        Assert.Equal(
            ["1 eliminate-identity: a (Identity): eliminate-identity", "2 eliminate-identity: b (Identity): eliminate-identity", "3 eliminate-identity: c (Identity): eliminate-identity"],
            context.Steps.Steps.Select(s => s.ToString()));
    }
}
