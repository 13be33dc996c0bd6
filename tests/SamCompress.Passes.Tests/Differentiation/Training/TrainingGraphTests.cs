using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Differentiation.Training;

public sealed class TrainingGraphTests
{
    /// <summary>y = x w + b, and what is derived from it: scalars and constants that are no weights.</summary>
    private const string Linear = """
        g (float[1,3] X) => (float[1,2] Y)
        <float[3,2] w = {0.5, -1, 2, 0.25, -0.75, 1.5}, float[2] b = {0.1, -0.2}, float one = {1}, float[1] half = {0.5}>
        { m = MatMul (X, w) s = Add (m, b) h = Mul (s, half) d = Mul (h, one) Y = Add (d, h) }
        """;

    private static readonly LossTerm Output = new("Y");

    [Fact]
    public void Forward_backward_and_update_are_one_graph() => Snapshot.Match(Print(new TrainingOptions { WeightDecay = 0.1 }));

    [Fact]
    public void With_accumulation_the_update_is_conditional() => Snapshot.Match(Print(new TrainingOptions { Accumulation = 4, ClipNorm = 1 }));

    [Fact]
    public void Terms_have_kind_scale_and_weight()
    {
        using Model student = ModelText.Parse(Linear);
        LossTerm[] terms = [Output with { Scale = 3 }, new("s") { Name = "hidden", Kind = LossKind.Absolute }, Output with { Name = "again" }];
        using var graph = TrainingGraph.Build(student, terms);
        // s = (1 - 4 + 0.6 ... ): X = {1, -2, 0.8}: m = {0.5 - 4 - 0.6, -1 - 0.5 + 1.2}, s = m + b, Y = s.
        double[] s = [-4.1 + 0.1, -0.3 - 0.2];
        StepLosses losses = Step(graph, new() { ["Y"] = [1, 2], ["hidden"] = [-3, 1], ["again"] = [-4, 0] }, new() { ["hidden"] = 0.5f, ["again"] = 0 });
        Assert.Equal(3 * (Square(s[0] - 1) + Square(s[1] - 2)) / 2, losses.Terms["Y"], 1e-5);
        Assert.Equal((Math.Abs(s[0] + 3) + Math.Abs(s[1] - 1)) / 2, losses.Terms["hidden"], 1e-5);
        Assert.Equal((Square(s[0] + 4) + Square(s[1])) / 2, losses.Terms["again"], 1e-5);
        Assert.Equal(losses.Terms["Y"] + (losses.Terms["hidden"] / 2), losses.Loss, 1e-4);

        static double Square(double value) => value * value;
    }

    /// <summary>
    /// A mask of two elements: Y = {-4, -0.5} is one above -1, the target all of it, so I = 1, U = 2, H = sigmoid(3 / 2 - 1). The gradient of the bias is H times that of the mean magnitude,
    /// -1/2 for each element: none comes of H.
    /// </summary>
    [Fact]
    public void A_mask_counts_by_how_wrong_it_is()
    {
        using Model student = ModelText.Parse(Linear);
        using var graph = GradientGraph.Build(student, [Output with { Kind = LossKind.Absolute, HardMaskThreshold = -1 }]);
        using var session = TrainingSession.Open(graph);
        using RuntimeTensor x = RuntimeTensor.Of([1f, -2f, 0.8f], 1, 3), target = RuntimeTensor.Of([1f, 2f], 1, 2);
        double hard = 1 / (1 + Math.Exp(-0.5));
        StepLosses losses = session.Step(new Dictionary<string, RuntimeTensor> { ["X"] = x }, new Dictionary<string, RuntimeTensor> { ["Y"] = target });
        Assert.Equal(hard * (5 + 2.5) / 2, losses.Loss, 1e-5);
        Assert.All(session.Read(StateKind.GradientSum)["b"].ToArray<float>(), g => Assert.Equal(-hard / 2, g, 1e-6));
    }

    [Fact]
    public void Only_weights_are_trained_and_of_them_those_asked_for()
    {
        using Model student = ModelText.Parse(Linear);
        string before = ModelText.Print(student);
        using var all = TrainingGraph.Build(student, [Output]);
        using var some = TrainingGraph.Build(student, [Output], new TrainingOptions { Trainable = name => name != "w" });
        Assert.Equal(["w:Weight", "w:FirstMoment", "w:SecondMoment", "b:Weight", "b:FirstMoment", "b:SecondMoment"], all.State.Select(s => s.Name));
        Assert.Equal(["b:Weight", "b:FirstMoment", "b:SecondMoment"], some.State.Select(s => s.Name));
        Assert.Contains(some.Model.Graph.Initializers, i => i.Name == "w");
        Assert.Equal(before, ModelText.Print(student));
    }

    [Fact]
    public void Recomputing_activations_changes_no_bit_also_with_terms_on_values_in_between()
    {
        string layers = string.Concat(Enumerable.Range(0, 8).Select(i => $" m{i} = MatMul (x{i}, w) a{i} = Add (m{i}, b) x{i + 1} = Tanh (a{i})"));
        using Model student = ModelText.Parse($"g (float[4,3] X) => (float[4,3] x8) <float[3,3] w = {{0.5, -1, 2, 0.25, -0.75, 1.5, 1, 0, -1}}, float[3] b = {{0.1, -0.2, 0.3}}> {{ x0 = Mul (X, b){layers} }}");
        LossTerm[] terms = [new("x8"), new("a2"), new("m5") { Kind = LossKind.Absolute }];
        (int Tanhs, byte[] State) kept = Run(false), recomputed = Run(true);
        Assert.Equal(8, kept.Tanhs);
        Assert.True(recomputed.Tanhs > 8, $"{recomputed.Tanhs} Tanh");
        Assert.Equal(kept.State, recomputed.State);

        (int Tanhs, byte[] State) Run(bool recomputes)
        {
            using var graph = TrainingGraph.Build(student, terms, new TrainingOptions { Recomputes = recomputes });
            using var session = TrainingSession.Open(graph);
            using RuntimeTensor x = RuntimeTensor.Of([.. Enumerable.Range(0, 12).Select(i => (i * 0.3f) - 1.5f)], 4, 3), t = RuntimeTensor.Of(new float[12], 4, 3);
            for (int i = 0; i < 2; i++)
                session.Step(new Dictionary<string, RuntimeTensor> { ["X"] = x }, terms.ToDictionary(term => term.Name, _ => t), learningRate: 0.01);
            return (graph.Model.Graph.Nodes.Count(n => n.OpType == "Tanh"), [.. session.ReadState().OrderBy(s => s.Key, StringComparer.Ordinal).SelectMany(s => s.Value.ToArray<byte>())]);
        }
    }

    [Fact]
    public void A_loss_that_no_weight_reaches_is_refused()
    {
        using Model student = ModelText.Parse(Linear);
        SamCompressException e = Assert.Throws<SamCompressException>(() => TrainingGraph.Build(student, [Output], new TrainingOptions { Trainable = _ => false }));
        Assert.Equal(FailureKind.Usage, e.Kind);
        Assert.Equal("no weight reaches the loss", e.Message);
    }

    [Fact]
    public void A_term_of_no_value_is_refused()
    {
        using Model student = ModelText.Parse(Linear);
        Assert.Throws<InvariantException>(() => TrainingGraph.Build(student, [new LossTerm("Z")]));
        Assert.Throws<InvariantException>(() => TrainingGraph.Build(student, []));
    }

    [Fact]
    public void An_operator_without_a_gradient_is_named()
    {
        using Model student = ModelText.Parse("g (float[1,3] X) => (float[1,3] Y) <float[3] w = {1, 2, 3}> { m = Mul (X, w) Y = Hardmax (m) }");
        SamCompressException e = Assert.Throws<SamCompressException>(() => TrainingGraph.Build(student, [Output]));
        Assert.Equal(FailureKind.Unsupported, e.Kind);
        Assert.Contains("Hardmax", e.Message);
    }

    [Fact]
    public void All_weights_of_an_encoder_are_trained_and_tables_of_positions_as_they_are()
    {
        using Model student = OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx"));
        TrainableModel.Prepare(student);
        using var graph = TrainingGraph.Build(student, [new LossTerm(student.Graph.Outputs[0].Name)]);
        StateTensor[] weights = [.. graph.State.Where(s => s.Kind == StateKind.Weight)];
        // Patches 192 * 768 + 192, positions 256 * 192, neck 128 * 192 + 128 * 128 * 9 + 4 * 128; a block: two normalizations, qkv, projection, MLP of 768.
        long blocks = 6 * ((4 * 192) + (192 * 576) + 576 + (192 * 192) + 192 + (2 * 192 * 768) + 768 + 192);
        long tables = 4 * 2 * 13 * 32 + (2 * 2 * 31 * 32);
        Assert.Equal((192 * 768) + 192 + (256 * 192) + (128 * 192) + (128 * 128 * 9) + (4 * 128) + blocks + tables, weights.Sum(w => w.Initial!.Count));
        Assert.Equal(12, weights.Count(w => w.Parameter.Contains("rel_pos", StringComparison.Ordinal) && w.Dimensions[0] is 13 or 31));
    }

    private static string Print(TrainingOptions options)
    {
        using Model student = ModelText.Parse(Linear);
        using var graph = TrainingGraph.Build(student, [Output], options);
        return ModelText.Print(graph.Model) + "\n" + string.Join('\n', graph.State.Select(s => $"{s.Name}: {s.Input} -> {s.Output}")) + "\n";
    }

    private static StepLosses Step(TrainingGraph graph, Dictionary<string, float[]> targets, Dictionary<string, float> weights)
    {
        using var session = TrainingSession.Open(graph);
        using RuntimeTensor x = RuntimeTensor.Of([1f, -2f, 0.8f], 1, 3);
        Dictionary<string, RuntimeTensor> tensors = targets.ToDictionary(t => t.Key, t => RuntimeTensor.Of(t.Value, 1, 2));
        StepLosses losses = session.Step(new Dictionary<string, RuntimeTensor> { ["X"] = x }, tensors, weights);
        foreach (RuntimeTensor tensor in tensors.Values)
            tensor.Dispose();
        return losses;
    }
}
