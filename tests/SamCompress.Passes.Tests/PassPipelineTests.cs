using SamCompress.IR;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests;

public sealed class PassPipelineTests
{
    private const string Text = "g (float[2] x) => (float[2] y) { a = Neg (x) b = Relu (x) y = Neg (a) }";

    [Fact]
    public void Records_what_each_pass_did()
    {
        using Model model = ModelText.Parse(Text);
        var seen = new List<string>();
        var pipeline = new PassPipeline(new DropUnused(), new DropUnused()) { AfterPass = (record, _) => seen.Add(record.Name) };
        IReadOnlyList<PassRecord> records = pipeline.Run(model, PassCheck.Context());
        Assert.Equal([("drop-unused", 1, 2), ("drop-unused", 0, 2)], records.Select(r => (r.Name, r.Changes, r.Nodes)));
        Assert.Equal(["drop-unused", "drop-unused"], seen);
    }

    [Fact]
    public void Stops_after_the_pass_asked_for()
    {
        using Model model = ModelText.Parse(Text);
        var pipeline = new PassPipeline(new DropUnused(), new BreakGraph()) { StopAfter = "drop-unused" };
        Assert.Single(pipeline.Run(model, PassCheck.Context()));
    }

    [Fact]
    public void Refuses_to_stop_after_a_pass_that_is_not_there()
    {
        using Model model = ModelText.Parse(Text);
        var pipeline = new PassPipeline(new DropUnused()) { StopAfter = "drop-everything" };
        var refused = Assert.Throws<SamCompressException>(() => pipeline.Run(model, PassCheck.Context()));
        Assert.Equal((FailureKind.Usage, "passes are: drop-unused"), (refused.Kind, refused.Hint));
    }

    [Fact]
    public void Names_the_pass_that_left_a_broken_graph()
    {
        using Model model = ModelText.Parse(Text);
        var failed = Assert.Throws<PassException>(() => new PassPipeline(new DropUnused(), new BreakGraph()).Run(model, PassCheck.Context()));
        Assert.Equal("break-graph", failed.Pass);
        Assert.Equal(["drop-unused"], failed.PassesBefore);
        Assert.IsType<InvariantException>(failed.InnerException);
    }

    [Fact]
    public void Lets_errors_of_the_input_through()
    {
        using Model model = ModelText.Parse(Text);
        Assert.Throws<SamCompressException>(() => new PassPipeline(new Refuse()).Run(model, PassCheck.Context()));
    }

    [Fact]
    public void Honours_cancellation()
    {
        using Model model = ModelText.Parse(Text);
        var context = new PassContext { Cancellation = new CancellationToken(canceled: true) };
        Assert.Throws<OperationCanceledException>(() => new PassPipeline(new DropUnused()).Run(model, context));
    }

    private sealed class DropUnused : Pass
    {
        public override int Apply(Model model, PassContext context)
        {
            List<Node> unused = [.. model.Graph.Nodes.Where(n => !n.Output.IsUsed)];
            unused.ForEach(model.Graph.Remove);
            return unused.Count;
        }
    }

    private sealed class BreakGraph : Pass
    {
        public override int Apply(Model model, PassContext context)
        {
            model.Graph.Reorder([.. model.Graph.Nodes.Reverse()]);
            return 1;
        }
    }

    private sealed class Refuse : Pass
    {
        public override void Require(Model model) => throw new SamCompressException(FailureKind.Unsupported, "not this one");

        public override int Apply(Model model, PassContext context) => 0;
    }
}
