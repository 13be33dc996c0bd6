using SamCompress.IR.Analysis;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;
using Xunit.Abstractions;

namespace SamCompress.IR.Tests.Analysis;

public sealed class ShapeInferenceTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("y = Conv <strides = [2, 2], pads = [1, 1, 1, 1]> (x, w)", "[1,4,4,5]")]
    [InlineData("y = Conv <auto_pad = \"SAME_UPPER\", strides = [2, 2]> (x, w)", "[1,4,4,5]")]
    [InlineData("y = Conv <dilations = [2, 2]> (x, w)", "[1,4,3,5]")]
    [InlineData("y = ConvTranspose <strides = [2, 2], output_padding = [1, 0]> (x, t)", "[1,5,15,18]")]
    [InlineData("y = MaxPool <kernel_shape = [2, 2], strides = [2, 2], ceil_mode = 1> (x)", "[1,2,4,5]")]
    [InlineData("y = GlobalAveragePool (x)", "[1,2,1,1]")]
    [InlineData("y = Flatten <axis = 2> (x)", "[2,63]")]
    [InlineData("y = ReduceMean <keepdims = 0> (x, axes)", "[2,7]")]
    [InlineData("y = ArgMax <axis = -1, keepdims = 0> (x)", "[1,2,7]")]
    [InlineData("y = Einsum <equation = \"bchw,dw->bhd\"> (x, m)", "[1,7,6]")]
    [InlineData("y = DepthToSpace <blocksize = 1> (x)", "[1,2,7,9]")]
    [InlineData("y = Slice (x, from, to, axis, step)", "[1,2,4,9]")]
    [InlineData("y = Pad (x, pads, , axis2)", "[1,2,7,12]")]
    [InlineData("y = Gather <axis = 2> (x, places)", "[1,2,2,2,9]")]
    [InlineData("y = Tile (x, repeats)", "[3,2,7,18]")]
    public void Agrees_with_ONNX_Runtime(string node, string shape)
    {
        using Model model = ModelText.Parse(
            $$"""
            g (float[1,2,7,9] x) => (float y) <
              float[4,2,3,3] w = {{{Zeros(72)}}}, float[2,5,2,2] t = {{{Zeros(40)}}}, float[6,9] m = {{{Zeros(54)}}}, int64[2] axes = {0, 3},
              int64[1] from = {-1}, int64[1] to = {-100}, int64[1] axis = {2}, int64[1] step = {-2}, int64[2] pads = {2, 1}, int64[1] axis2 = {3},
              int64[2,2] places = {0, 1, 2, 3}, int64[4] repeats = {3, 1, 1, 2}
            > { {{node}} }
            """);
        Value y = model.Graph.Outputs[0];
        y.Shape = null;
        y.ElementType = ElementType.Undefined;
        Assert.Empty(ShapeInference.Infer(model).Diagnostics);
        Assert.Equal(shape, y.Shape?.ToString());
        model.Graph.RemoveUnusedInitializers();
        using OnnxSession session = OnnxSession.Open(model);
        using RuntimeTensor x = RuntimeTensor.Of(new float[126], 1, 2, 7, 9);
        using RuntimeTensors results = session.Run(new Dictionary<string, RuntimeTensor> { ["x"] = x });
        Assert.Equal(y.ElementType.TextName() + shape, results["y"].ToString());
    }

    [Fact]
    public void Carries_named_dimensions_through_shape_arithmetic()
    {
        using Model model = ModelText.Parse(
            """
            g (float[B,N,6] x, float[B,5,6] t) => (float[?,?,?,?] y, int64[?] s) <int64[2] split = {3, 2}, int64 one = {1}, int64[1] first = {0}> {
              c = Concat <axis = 1> (t, x) head = Shape <end = 2> (c) s = Concat <axis = 0> (head, split) y = Reshape (c, s)
            }
            """);
        ShapeFacts facts = ShapeInference.Infer(model);
        Assert.Empty(facts.Diagnostics);
        Assert.Equal("[B,N + 5,3,2]", model.Graph.Outputs[0].Shape!.ToString());
        Assert.True(facts.TryGetElements(model.Graph.Outputs[1], out IReadOnlyList<Dimension>? elements));
        Assert.Equal(["B", "N + 5", "3", "2"], elements.Select(e => e.ToString()));
    }

    [Fact]
    public void Takes_the_operators_word_where_a_declaration_is_wrong()
    {
        using Model model = ModelText.Parse("g (float[2,3] x) => (float[2,3] z) <float[4,5] y> { y = Transpose (x) z = Transpose (y) }");
        Diagnostic wrong = Assert.Single(ShapeInference.Infer(model).Diagnostics);
        Assert.Equal(("SC3202", "output 'y' is declared [4,5] but is [3,2]"), (wrong.Id, wrong.Message));
        Assert.Equal(Shape.Of(3, 2), model.Graph.Nodes.First!.Output.Shape);
    }

    [Fact]
    public void Keeps_what_a_file_declares_about_operators_it_does_not_know()
    {
        using Model model = ModelText.Parse(
            "<ir_version: 10, opset_import: [\"\": 21, \"my\": 1]> g (float[2,3] x) => (float[4,7] z) <float[7,4] y> { y = my.Strange (x) z = Transpose (y) }");
        Assert.Empty(ShapeInference.Infer(model).Diagnostics);
        Assert.Equal(Shape.Of(4, 7), model.Graph.Outputs[0].Shape);
    }

    /// <summary>Found by the fuzzer: a rule trusted the declaration.</summary>
    [Fact]
    public void Infers_the_bodies_of_operators_it_does_not_know()
    {
        using Model model = ModelText.Parse(
            "<ir_version: 10, opset_import: [\"\": 21, \"my\": 1]> g (float[2,3] x) => (float[2,3] y) { y = my.Each (x) <body = b (float[4] a) => (float[M,N] c) { c = Identity (a) }> }");
        Assert.Equal("SC3202", Assert.Single(ShapeInference.Infer(model).Diagnostics).Id);
        Assert.Equal(Shape.Of(4), model.AllGraphs().Last().Outputs[0].Shape);
    }

    /// <summary>Found by the fuzzer.</summary>
    [Fact]
    public void Knows_nothing_of_an_operator_without_the_inputs_that_it_needs()
    {
        using Model model = ModelText.Parse("<ir_version: 3, opset_import: [\"\": 6]> g (float[2] x) => (float[?] y) { y = Sum () }");
        ShapeInference.Infer(model);
        Assert.Equal("[?]", model.Graph.Outputs[0].Shape!.ToString());
    }

    [Fact]
    public void Knows_of_If_what_both_branches_say()
    {
        using Model model = ModelText.Parse(
            """
            g (bool c, float[2,3] x) => (float[?,?] y) {
              y = If (c) <then_branch = t () => (float[?,?] a) { a = Concat <axis = 0> (x, x) }, else_branch = e () => (float[?,?] b) { b = Neg (x) }>
            }
            """);
        ShapeInference.Infer(model);
        Assert.Equal("[?,3]", model.Graph.Outputs[0].Shape!.ToString());
    }

    [Fact]
    public void Stacks_what_a_loop_gives_in_each_round()
    {
        using Model model = ModelText.Parse(
            """
            g (int64 n, float[2,3] x) => (float[?,?] y, float[?,?,?] s) <bool yes = {1}> {
              y, s = Loop (n, yes, x) <body = b (int64 i, bool c, float[2,3] v) => (bool d, float[?,?] w, float[?,?] e) { d = Identity (c) w = Neg (v) e = Transpose (v) }>
            }
            """);
        ShapeInference.Infer(model);
        Assert.Equal("[2,3]", model.Graph.Outputs[0].Shape!.ToString());
        Assert.Equal("[?,3,2]", model.Graph.Outputs[1].Shape!.ToString());
    }

    [Theory]
    [InlineData("y = Reshape (x, two)", "the target shape has more than one -1")]
    [InlineData("y = Reshape (x, four)", "6 elements cannot be reshaped to [4]")]
    [InlineData("y = Reshape (x, negative)", "the target shape has dimension -3")]
    [InlineData("y = Reshape (x, five)", "6 elements cannot be divided by 5")]
    [InlineData("y = MatMul (x, x)", "shapes [2,3] and [2,3] cannot be multiplied")]
    [InlineData("y = Add (x, four4)", "dimensions 3 and 4 cannot be broadcast")]
    [InlineData("y = Squeeze (x, zero)", "shape [2,3] cannot be squeezed at axes [0]")]
    [InlineData("y = Div (a, zero)", "a division by zero")]
    [InlineData("y = Mod (a, zero)", "a division by zero")]
    [InlineData("y = Gather (a, four)", "index out of range for 1 elements")]
    [InlineData("y = Slice (x, zero, a, a, zero)", "a step of 0")]
    [InlineData("y = Concat <axis = 2> (x, x)", "axis 2 is out of range for rank 2")]
    [InlineData("y = Transpose <perm = [0, 0]> (x)", "an axis is named twice")]
    [InlineData("y = Transpose <perm = [0]> (x)", "perm has 1 entries for an input of rank 2")]
    [InlineData("y = Conv (x, x)", "an input of rank 2 cannot be convolved with a weight of rank 2")]
    [InlineData("y = Expand (x, huge)", "dimensions 2 and 9223372036854775807 cannot be broadcast")]
    [InlineData("y = ConstantOfShape (huge)", "the output would have more than 2^63 - 1 elements")]
    [InlineData("y = ConstantOfShape (negative)", "output 'y' would have shape [-3]")]
    [InlineData("y = Split <axis = 1> (x, four)", "parts of 4 in all do not make up dimension 3")]
    public void Says_what_no_run_could_execute(string node, string message)
    {
        using Model model = ModelText.Parse(
            $$"""
            g (float[2,3] x) => (float y) <
              int64[2] two = {-1, -1}, int64[1] four = {4}, int64[1] negative = {-3}, int64[2] five = {5, -1}, float[4] four4 = {0, 0, 0, 0},
              int64[1] zero = {0}, int64[1] a = {1}, int64[2] huge = {9223372036854775807, 9223372036854775807}
            > { {{node}} }
            """);
        model.Graph.Outputs[0].Shape = null;
        model.Graph.Outputs[0].ElementType = ElementType.Undefined;
        ShapeFacts facts = ShapeInference.Infer(model);
        Assert.Equal(("SC3201", message), (Assert.Single(facts.Diagnostics).Id, facts.Diagnostics[0].Message));
    }

    [Theory]
    [InlineData("encoder")]
    [InlineData("decoder")]
    public void Every_value_of_sam_nano_has_the_shape_of_a_run(string name)
    {
        using Model model = OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", name + ".onnx"));
        ShapeInference.Infer(model);
        foreach (Value value in model.Graph.Nodes.SelectMany(n => n.Outputs.OfType<Value>()).Where(v => !v.IsGraphOutput).ToList())
            model.Graph.AddOutput(value);
        Dictionary<string, RuntimeTensor> inputs = model.Graph.Inputs.ToDictionary(i => i.Name, Input);
        using OnnxSession session = OnnxSession.Open(model, new SessionSettings { Optimization = GraphOptimization.None });
        using RuntimeTensors results = session.Run(inputs);
        int unknown = 0;
        foreach (Value value in model.Graph.Outputs)
        {
            RuntimeTensor result = results[value.Name];
            Assert.Equal(result.ElementType, value.ElementType);
            Assert.Equal(result.Dimensions.Length, value.Shape!.Rank);
            for (int axis = 0; axis < result.Dimensions.Length; axis++)
            {
                if (ExpectedSize(value.Shape[axis]) is { } expected)
                    Assert.Equal((value.Name, expected), (value.Name, result.Dimensions[axis]));
                else
                    unknown++;
            }
        }

        output.WriteLine($"{model.Graph.Outputs.Count} values, {unknown} dimensions not known");
        foreach (RuntimeTensor tensor in inputs.Values)
            tensor.Dispose();
    }

    [Fact]
    public void Every_value_of_an_exported_encoder_has_a_static_shape()
    {
        foreach (string name in SkeletonModels.Names.Where(n => n.Contains("encoder", StringComparison.Ordinal)))
        {
            using Model model = SkeletonModels.Open(name);
            Assert.Empty(ShapeInference.Infer(model).Diagnostics);
            Assert.All(model.Graph.Nodes.SelectMany(n => n.Outputs), o => Assert.True(o!.ElementType != ElementType.Undefined && o.Shape is { IsStatic: true }, $"{name}: {o}"));
        }
    }

    [BackendModelsFact]
    public void Contradicts_no_backend_model()
    {
        int outputs = 0;
        int known = 0;
        var wrong = new List<string>();
        foreach (string path in BackendModels.Paths)
        {
            using Model model = OnnxReader.Read(path);
            var declared = model.Graph.Outputs.Select(o => (Value: o, o.ElementType, o.Shape)).ToList();
            foreach ((Value value, _, _) in declared.Where(d => d.Value.Producer is not null))
            {
                value.ElementType = ElementType.Undefined;
                value.Shape = null;
            }

            wrong.AddRange(ShapeInference.Infer(model).Diagnostics.Select(d => $"{path}: {d}"));
            foreach ((Value value, ElementType type, Shape? shape) in declared.Where(d => d.ElementType != ElementType.Undefined))
            {
                outputs++;
                known += value.Shape is { IsStatic: true } ? 1 : 0;
                bool sameType = value.ElementType is ElementType.Undefined || value.ElementType == type;
                bool sameShape = value.Shape is null || shape is null || (value.Shape.Rank == shape.Rank && value.Shape.Zip(shape).All(d => d.First.Value is null || d.Second.Value is null || d.First == d.Second));
                if (!sameType || !sameShape)
                    wrong.Add($"{path}: {value} is declared {type.TextName()}{shape}");
            }
        }

        output.WriteLine($"{BackendModels.Paths.Count} models, {outputs} tensor outputs, {known} of them inferred to the last dimension");
        Assert.Empty(wrong);
    }

    private static string Zeros(int count) => string.Join(',', Enumerable.Repeat("0", count));

    /// <summary>Three points, so five tokens more are eight.</summary>
    private static long? ExpectedSize(Dimension dimension) => dimension switch
    {
        { Value: { } value } => value,
        { Parameter: "num_points" } => 3,
        { Parameter: "num_points + 5" } => 8,
        _ => null,
    };

    private static RuntimeTensor Input(Value input)
    {
        long[] shape = [.. input.Shape!.Select(d => d.Value ?? 3)];
        var elements = new float[shape.Aggregate(1L, (product, d) => product * d)];
        Array.Fill(elements, input.Name == "orig_im_size" ? 50 : 1);
        return RuntimeTensor.Of(elements, shape);
    }
}
