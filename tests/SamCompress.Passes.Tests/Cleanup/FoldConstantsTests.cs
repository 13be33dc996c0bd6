using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class FoldConstantsTests
{
    [Fact]
    public void Folds_shape_arithmetic_of_known_dimensions() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,3,8] x) => (float[6,2,4] y) <int64 zero = {0}, int64 one = {1}, int64[1] first = {0}, int64[2] rest = {2, 4}> {
          s = Shape (x) a = Gather (s, zero) b = Gather (s, one) n = Mul (a, b) u = Unsqueeze (n, first) t = Concat <axis = 0> (u, rest) y = Reshape (x, t)
        }
        """,
        new FoldConstants()));

    [Fact]
    public void Folds_what_is_known_beside_a_named_dimension() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[N,3,8] x) => (int64 y, int64 n) <int64 zero = {0}, int64 one = {1}, int64 two = {2}> {
          s = Shape (x) a = Gather (s, one) b = Gather (s, two) c = Mul (a, b) n = Gather (s, zero) y = Add (n, c)
        }
        """,
        new FoldConstants()));

    [Fact]
    public void Evaluates_a_region_of_floats_at_once() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,2] x) => (float[2,2] y, float[2] z) <float[2] a = {1, 2}, float[2] b = {0.5, 4}, int64[1] first = {0}> {
          c = Mul (a, b) d = Sqrt (c) e = Sin (c) f = Exp (e) y = Add (x, d) h = Mul (x, f) z = ReduceMax <keepdims = 0> (h, first)
        }
        """,
        new FoldConstants()));

    [Fact]
    public void Folds_integers_computed_by_way_of_floats() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[14,4] x) => (float[7,2,4] y) <int64[1] zero = {0}, float[1] two = {2}, int64[2] rest = {-1, 4}> {
          s = Shape (x) n = Gather (s, zero) f = Cast <to = 1> (n) h = Div (f, two) r = Floor (h) i = Cast <to = 7> (r) t = Concat <axis = 0> (i, rest) y = Reshape (x, t)
        }
        """,
        new FoldConstants()));

    [Fact]
    public void Keeps_random_numbers() => PassCheck.LeavesAlone(
        "g (float[2] x) => (float[2] y) <float[2] m = {0, 0}> { r = RandomNormalLike <seed = 1.0> (m) y = Add (x, r) }", new FoldConstants());

    [Fact]
    public void Keeps_compressed_weights() => PassCheck.LeavesAlone(
        "g (float[2] x) => (float[2] y) <int8[2] q = {1, 2}, float s = {0.5}, int8 z = {0}> { w = DequantizeLinear (q, s, z) y = Mul (x, w) }", new FoldConstants());

    [Fact]
    public void Keeps_graph_outputs() => PassCheck.LeavesAlone(
        "g (float[2,3] x) => (int64[2] y) { y = Shape (x) }", new FoldConstants());

    [Fact]
    public void Keeps_results_over_the_budget()
    {
        const string Text = "g (float[4,4] x) => (float[4,4] y) <float e = {1}, int64[2] s = {4, 4}> { w = Expand (e, s) y = Mul (x, w) }";
        Assert.Equal(0, Changes(Text, new PassContext { Evaluator = PassCheck.Context().Evaluator, FoldingBudget = 43 }));
        // 16 floats are 60 bytes more than one; the operand for the shape is an input too.
        Assert.Equal(1, Changes(Text, new PassContext { Evaluator = PassCheck.Context().Evaluator, FoldingBudget = 44 }));
    }

    /// <summary>Weights of 1 MiB: smaller ones are evaluated at once.</summary>
    [Theory]
    [InlineData("float[512,512]", "y = Transpose (w)", "float[512,512]")]
    [InlineData("float[64,8,512]", "y = Transpose <perm = [2, 0, 1]> (w)", "float[512,64,8]")]
    [InlineData("float[64,8,512]", "y = Transpose <perm = [1, 0, 2]> (w)", "float[8,64,512]")]
    [InlineData("float16[1024,512]", "t = Transpose (w) y = Cast <to = 1> (t)", "float[512,1024]")]
    [InlineData("float[512,512]", "i = Identity (w) y = Reshape (i, s)", "float[4,65536]")]
    public void Does_to_weights_when_they_are_read_what_ONNX_Runtime_does(string weight, string nodes, string result)
    {
        using Model before = WithWeight(weight, nodes, result);
        using Model after = WithWeight(weight, nodes, result);
        Assert.True(new FoldConstants().Apply(after, new PassContext()) > 0);
        Assert.Equal(["Neg"], after.Graph.Nodes.Select(n => n.OpType));
        after.Graph.RemoveUnusedInitializers();
        NumericAssert.EqualBits(before, after);
    }

    [Fact]
    public void Folds_the_rest_when_one_node_cannot_be_evaluated()
    {
        using Model model = ModelText.Parse(
            "g (float[2] x) => (float[2] y, float[2] z) <float[2] a = {1, 4}, float[2] b = {1, 2}> { c = Sqrt (a) d = Mul (b, b) y = Mul (x, c) z = Add (x, d) }");
        var context = new PassContext { Evaluator = new RefusingEvaluator("Mul") };
        Assert.Equal(1, new FoldConstants().Apply(model, context));
        Assert.Equal(["d", "y", "z"], model.Graph.Nodes.Select(n => n.Output.Name));
        Assert.All(context.Diagnostics, d => Assert.Equal("SC4201", d.Id));
    }

    [Fact]
    public void Does_nothing_once_the_step_limit_is_reached()
    {
        using Model model = ModelText.Parse("g (float[2,3] x) => (float[6] y) <int64[1] last = {-1}> { n = Size (x) i = Unsqueeze (n, last) y = Reshape (x, i) }");
        var context = new PassContext { Steps = new StepLog { Limit = 1, IsRecording = true } };
        Assert.Equal(1, new FoldConstants().Apply(model, context));
        Assert.Equal("'i' is known", Assert.Single(context.Steps.Steps).What);
    }

    private static Model WithWeight(string weight, string nodes, string result)
    {
        Model model = ModelText.Parse($"g ({weight} w) => ({result} z) <int64[2] s = {{4, -1}}> {{ {nodes} z = Neg (y) }}");
        Value input = model.Graph.Inputs[0];
        var random = new Random(1);
        var bytes = new byte[input.ElementType.ByteLength(input.Shape!.ElementCount!.Value)];
        for (int i = 0; i < bytes.Length; i += input.ElementType.BitWidth() / 8)
        {
            if (input.ElementType == ElementType.Float)
                BitConverter.TryWriteBytes(bytes.AsSpan(i), random.NextSingle());
            else
                BitConverter.TryWriteBytes(bytes.AsSpan(i), (Half)random.NextSingle());
        }

        Value constant = model.Graph.AddInitializer("weight", Tensor.FromBytes(input.ElementType, input.Shape.ToStatic(), bytes));
        input.ReplaceUsesWith(constant);
        model.Graph.RemoveInput(0);
        return model;
    }

    private static int Changes(string text, PassContext context)
    {
        using Model model = ModelText.Parse(text);
        return new FoldConstants().Apply(model, context);
    }

    /// <summary>Cannot evaluate models with a certain operator.</summary>
    private sealed class RefusingEvaluator(string opType) : IConstantEvaluator
    {
        public IReadOnlyList<Tensor>? Evaluate(Model model, CancellationToken cancellation) =>
            model.Graph.Nodes.Any(n => n.Is(opType)) ? null : PassCheck.Context().Evaluator!.Evaluate(model, cancellation);
    }
}
