using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateIdentityTests
{
    [Fact]
    public void Removes_a_chain_of_identities() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[2,3] y) { a = Identity (x) b = Identity (a) y = Relu (b) }", new EliminateIdentity()));

    [Fact]
    public void Gives_the_name_of_a_graph_output_to_what_computes_it() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[2,3] y) { a = Relu (x) y = Identity (a) }", new EliminateIdentity()));

    [Fact]
    public void Removes_an_identity_whose_input_has_other_users() => Snapshot.Match(PassCheck.Apply(
        "g (float[2,3] x) => (float[2,3] y) { a = Relu (x) b = Identity (a) y = Add (a, b) }", new EliminateIdentity()));

    [Fact]
    public void Keeps_an_output_that_is_an_input() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[2,3] y) { y = Identity (x) }", new EliminateIdentity(),
        "the graph output needs a node of its own, because the value is an input, an initializer or another output");

    [Fact]
    public void Keeps_an_output_that_is_another_output() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[2,3] y, float[2,3] z) { y = Relu (x) z = Identity (y) }", new EliminateIdentity(),
        "the graph output needs a node of its own, because the value is an input, an initializer or another output");
}
