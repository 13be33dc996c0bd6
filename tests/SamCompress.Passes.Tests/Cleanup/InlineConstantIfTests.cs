using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class InlineConstantIfTests
{
    private const string Branches =
        """
        <then_branch = yes () => (float[2] a) <float[2] k = {1, 2}> { b = Add (x, k) a = Relu (b) },
         else_branch = no () => (float[2] n) { n = Neg (x) }>
        """;

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void Takes_the_branch_of_the_condition(int condition) => Snapshot.Match(
        PassCheck.Apply($"g (float[2] x) => (float[2] y) <bool c = {{{condition}}}> {{ r = If (c) {Branches} y = Sqrt (r) }}", new InlineConstantIf()),
        $"{condition}");

    [Fact]
    public void Gives_the_name_of_a_graph_output_to_what_the_branch_computes() => Snapshot.Match(PassCheck.Apply(
        $"g (float[2] x) => (float[2] y) <bool c = {{1}}> {{ y = If (c) {Branches} }}", new InlineConstantIf()));

    [Fact]
    public void Takes_a_value_from_outside_that_a_branch_only_passes_on() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2] x) => (float[2] y) <bool c = {0}> {
          z = Neg (x)
          r = If (c) <then_branch = yes () => (float[2] a) { a = Relu (x) }, else_branch = no () => (float[2] b) { b = Identity (z) }>
          y = Sqrt (r)
        }
        """,
        new InlineConstantIf()));

    [Fact]
    public void Keeps_an_If_with_a_computed_condition() => PassCheck.LeavesAlone(
        $"g (float[2] x, bool c) => (float[2] y) {{ y = If (c) {Branches} }}", new InlineConstantIf());

    [Fact]
    public void Keeps_a_branch_with_a_subgraph_and_says_so()
    {
        PassContext context = PassCheck.LeavesAlone(
            """
            g (float[2] x, bool d) => (float[2] y) <bool c = {1}> {
              y = If (c) <
                then_branch = yes () => (float[2] a) {
                  a = If (d) <then_branch = inner () => (float[2] e) { e = Relu (x) }, else_branch = other () => (float[2] f) { f = Neg (x) }>
                },
                else_branch = no () => (float[2] b) { b = Neg (x) }>
            }
            """,
            new InlineConstantIf());
        Assert.Equal("SC4202", Assert.Single(context.Diagnostics).Id);
    }
}
