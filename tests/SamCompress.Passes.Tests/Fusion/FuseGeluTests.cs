using SamCompress.Passes.Fusion;
using SamCompress.Passes.Rewriting;
using SamCompress.Passes.Targets;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Fusion;

public sealed class FuseGeluTests
{
    private const string Constants =
        "<float root = {1.4142135}, float inverse = {0.70710677}, float one = {1}, float half = {0.5}, float three = {3}, float c = {0.044715}, float s = {0.7978845834732056}>";

    private const string Erf = "d = Div (x, root) t = Erf (d) a = Add (t, one)";
    private const string Tanh = "x2 = Mul (x, x) x3 = Mul (x, x2) k = Mul (c, x3) i = Add (x, k) j = Mul (s, i) t = Tanh (j) a = Add (one, t)";
    private const string Halves = "m = Mul (x, a) y = Mul (m, half)";

    /// <summary>The same function in float, its factors in another order.</summary>
    private const double Rounding = 1e-6;

    private static readonly FuseGelu ForRuntime = new(TargetDescription.Load("ort-cpu"));
    private static readonly FuseGelu Portable = new(TargetDescription.Load("qdq"));

    [Fact]
    public void Fuses_the_form_of_erf() => Snapshot.Match(PassCheck.Apply(Graph(Erf, Halves), Portable, 20, Rounding));

    [Fact]
    public void Fuses_the_form_of_tanh() => Snapshot.Match(PassCheck.Apply(Graph(Tanh, Halves), Portable, 20, Rounding));

    [Theory]
    [InlineData(Erf, " Gelu (x)", 20)]
    [InlineData(Tanh, " Gelu <approximate = \"tanh\"> (x)", 20)]
    [InlineData(Erf, "com.microsoft.Gelu (x)", 19)]
    [InlineData(Tanh, "com.microsoft.FastGelu (x)", 17)]
    public void Takes_the_standard_operator_where_there_is_one(string gate, string result, int opset) =>
        Assert.Contains(result, PassCheck.Apply(Graph(gate, Halves), ForRuntime, opset, Rounding), StringComparison.Ordinal);

    [Theory]
    [InlineData("m = Mul (a, x) y = Mul (half, m)")]
    [InlineData("m = Mul (half, a) y = Mul (x, m)")]
    [InlineData("m = Mul (x, half) y = Mul (m, a)")]
    public void Fuses_factors_in_every_order(string product)
    {
        PassCheck.Apply(Graph(Erf, product), Portable, 20, Rounding);
        PassCheck.Apply(Graph(Tanh, product), Portable, 20, Rounding);
    }

    [Theory]
    [InlineData("d = Mul (inverse, x) t = Erf (d) a = Add (one, t)")]
    [InlineData("x3 = Pow (x, three) k = Mul (x3, c) i = Add (k, x) j = Mul (i, s) t = Tanh (j) a = Add (t, one)")]
    [InlineData("x2 = Mul (x, x) x3 = Mul (x2, x) k = Mul (c, x3) i = Add (x, k) j = Mul (s, i) t = Tanh (j) a = Add (one, t)")]
    public void Fuses_every_way_to_write_the_argument(string gate) => PassCheck.Apply(Graph(gate, Halves), Portable, 20, Rounding);

    [Fact]
    public void Imports_the_domain_of_the_operator()
    {
        using SamCompress.IR.Model model = ModelText.Parse("<ir_version: 8, opset_import: [\"\": 17]>\n" + Graph(Erf, Halves));
        SamCompress.IR.Analysis.ShapeInference.Infer(model);
        new PassPipeline(new Rewriter(ForRuntime)).Run(model, PassCheck.Context());
        Assert.Equal(1, model.Opset("com.microsoft"));
        Assert.Equal("float[2,3]", $"float{model.Graph.Outputs[0].Shape}");
    }

    [Fact]
    public void Keeps_it_below_opset_20_for_standard_operators() => PassCheck.Refuses(
        Graph(Erf, Halves), Portable, "opset 19 has no Gelu, opset 20 has, and the target takes standard operators only", 19);

    [Fact]
    public void Keeps_what_has_no_known_type() => PassCheck.Refuses(
        Graph(Erf, Halves).Replace("{ d", "{ x = com.example.Unknown (u) d", StringComparison.Ordinal).Replace("float[2,3] x", "float[2,3] u", StringComparison.Ordinal), Portable, "is not known to be floating point", 20);

    [Fact]
    public void Keeps_a_gate_that_something_else_reads() => PassCheck.Refuses(
        Graph(Erf, Halves).Replace("=> (", "=> (float[2,3] a, ", StringComparison.Ordinal), Portable, "'a' is used outside the match", 20);

    [Theory]
    [InlineData("root = {1.4142135}", "root = {1.4142}")]
    [InlineData("one = {1}", "one = {1.0001}")]
    [InlineData("half = {0.5}", "half = {0.501}")]
    public void Keeps_other_constants(string constant, string other) => PassCheck.LeavesAlone(
        Graph(Erf, Halves).Replace(constant, other, StringComparison.Ordinal), new Rewriter(Portable), 20);

    [Theory]
    [InlineData("c = {0.044715}", "c = {0.0447}")]
    [InlineData("s = {0.7978845834732056}", "s = {0.79788}")]
    [InlineData("x3 = Mul (x, x2)", "x3 = Mul (x2, x2)")]
    public void Keeps_other_approximations(string part, string other) => PassCheck.LeavesAlone(
        Graph(Tanh, Halves).Replace(part, other, StringComparison.Ordinal), new Rewriter(Portable), 20);

    private static string Graph(string gate, string product) => $"g (float[2,3] x) => (float[2,3] y) {Constants} {{ {gate} {product} }}";
}
