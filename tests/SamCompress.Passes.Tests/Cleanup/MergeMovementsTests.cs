using System.Globalization;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Rewriting;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class MergeMovementsTests
{
    [Fact]
    public void Maps_as_rows_of_channels_are_one_transpose() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[1,3,4,5] x) => (float[1,4,5,3] y) <int64[3] s = {1, 3, -1}, int64[4] t = {1, 4, 5, 3}>
        { a = Reshape (x, s) b = Transpose <perm = [0, 2, 1]> (a) y = Reshape (b, t) }
        """,
        new MergeMovements()));

    [Fact]
    public void Cancels_what_moves_nothing() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,3,4] x) => (float[2,12] y) <int64[3] s = {2, 12, 1}, int64[1] zero = {0}>
        { a = Reshape (x, s) b = Transpose <perm = [2, 0, 1]> (a) y = Squeeze (b, zero) }
        """,
        new MergeMovements()));

    [Fact]
    public void Needs_three_nodes_for_windows() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[1,3,4,6] x) => (float[4,6,3] y) <int64[4] rows = {1, 4, 6, 3}, int64[6] cut = {1, 2, 2, 2, 3, 3}, int64[3] windows = {4, 6, 3}>
        { a = Transpose <perm = [0, 2, 3, 1]> (x) b = Reshape (a, rows) c = Reshape (b, cut) d = Transpose <perm = [0, 1, 3, 2, 4, 5]> (c) y = Reshape (d, windows) }
        """,
        new Rewriter("merge", [new MergeReshapes(), new EliminateReshape(), new MergeMovements()])));

    [Fact]
    public void Begins_with_the_reshape_where_the_result_is_in_order() => Snapshot.Match(PassCheck.Apply(
        "g (float[6,4] x) => (float[3,4,1,2] y) <int64[3] s = {2, 3, 4}, int64[4] t = {3, 4, 1, 2}> { a = Reshape (x, s) b = Transpose <perm = [1, 2, 0]> (a) y = Reshape (b, t) }",
        new MergeMovements()));

    [Fact]
    public void Rows_that_are_read_as_a_map_as_well_are_made_of_the_map() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[1,3,4,5] x) => (float[1,4,5,3] y, float[1,20,3] z) <int64[3] s = {1, 3, -1}, int64[4] t = {1, 4, 5, 3}>
        { a = Reshape (x, s) b = Transpose <perm = [0, 2, 1]> (a) z = Relu (b) m = Reshape (b, t) y = Relu (m) }
        """,
        new Rewriter("merge", [new MergeReshapes(), new EliminateReshape(), new MergeMovements()])));

    /// <summary>Every chain of up to six random steps: the same elements, in fewer nodes or not at all.</summary>
    [Fact]
    public void Any_chain_keeps_its_elements_in_at_most_three_nodes()
    {
        var random = new Random(7);
        int merged = 0;
        for (int chain = 0; chain < 200; chain++)
        {
            using SamCompress.IR.Model before = ModelText.Parse(RandomChain(random));
            using SamCompress.IR.Model after = SamCompress.IR.OnnxReader.Parse(SamCompress.IR.OnnxWriter.Serialize(before));
            SamCompress.IR.Analysis.ShapeInference.Infer(after);
            merged += new Rewriter(new MergeMovements()).Apply(after, PassCheck.Context()) > 0 ? 1 : 0;
            Assert.InRange(after.Graph.Nodes.Count(n => n.OpType is "Reshape" or "Transpose"), 0, 3);
            NumericAssert.EqualBits(before, after);
        }

        Assert.True(merged > 100, $"only {merged} chains were merged");
    }

    [Fact]
    public void Keeps_the_shortest_way() => PassCheck.Refuses(
        """
        g (float[1,4,6,3] x) => (float[4,6,3] y) <int64[6] cut = {1, 2, 2, 2, 3, 3}, int64[3] windows = {4, 6, 3}>
        { c = Reshape (x, cut) d = Transpose <perm = [0, 1, 3, 2, 4, 5]> (c) y = Reshape (d, windows) }
        """,
        new MergeMovements(),
        "there is no shorter way");

    [Fact]
    public void Keeps_an_unknown_size() => PassCheck.Refuses(
        "g (float[N,3,4] x) => (float[N,4,3,1] y) <int64[1] three = {3}> { a = Transpose <perm = [0, 2, 1]> (x) y = Unsqueeze (a, three) }",
        new MergeMovements(),
        "a shape is not known, or empty");

    [Fact]
    public void Keeps_axes_that_do_not_split_evenly() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[2,3] y) <int64[2] s = {2, 3}> { a = Transpose (x) b = Reshape (a, s) y = Transpose (b) }",
        new MergeMovements(),
        "a shape is not known, or does not split the axes evenly");

    [Fact]
    public void Keeps_a_step_that_something_else_reads() => PassCheck.Refuses(
        """
        g (float[1,3,4,5] x) => (float[1,4,5,3] y, float[1,3,20] a) <int64[3] s = {1, 3, -1}, int64[4] t = {1, 4, 5, 3}>
        { a = Reshape (x, s) b = Transpose <perm = [0, 2, 1]> (a) y = Reshape (b, t) }
        """,
        new MergeMovements(),
        "'a' is used outside the match");

    private static string RandomChain(Random random)
    {
        long[] shape = [2, 3, 1, 4];
        var steps = new List<string>();
        string last = "x";
        for (int step = random.Next(2, 7); step > 0; step--)
        {
            string next = $"v{step}";
            int[] order = [.. Enumerable.Range(0, shape.Length)];
            random.Shuffle(order);
            if (random.Next(2) == 0)
            {
                steps.Add(string.Create(CultureInfo.InvariantCulture, $"{next} = Transpose <perm = [{string.Join(", ", order)}]> ({last})"));
                shape = [.. order.Select(axis => shape[axis])];
            }
            else
            {
                // Factors of the size stay factors: two neighbours are joined, and a four is split.
                shape = random.Next(3) switch
                {
                    0 when shape.Length > 2 => [shape[0] * shape[1], .. shape[2..]],
                    1 => [.. shape.SelectMany(s => s % 4 == 0 ? new[] { s / 2, 2 } : [s])],
                    _ => [.. shape, 1],
                };
                steps.Add(string.Create(CultureInfo.InvariantCulture, $"s{step} = Constant <value_ints = [{string.Join(", ", shape)}]> () {next} = Reshape ({last}, s{step})"));
            }

            last = next;
        }

        return $"g (float[2,3,1,4] x) => (float[{string.Join(',', shape)}] y) {{ {string.Join(" ", steps)} y = Identity ({last}) }}";
    }
}
