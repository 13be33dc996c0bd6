using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Differentiation;
using SamCompress.Passes.Rewriting;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Differentiation;

public sealed class CheckpointsTests
{
    /// <summary>Three layers: the middle one has a residual, so that nothing inside it stands alone.</summary>
    private const string Layers = """
        agraph (double[2, 4] x) => (double[2, 4] y) <
            double[4, 4] a = {1, 0.5, -1, 0, 0.2, 1, 0.3, -0.7, 0, 1, 0.5, 0.1, 0.4, 0, -0.2, 1},
            double[4, 4] b = {0.3, 0.5, -1, 0, 0.2, 1, 0.3, -0.7, 0, 1, 0.5, 0.1, 0.4, 0, -0.2, 1},
            double[4, 4] c = {0.7, 0.5, -1, 0, 0.2, 1, 0.3, -0.7, 0, 1, 0.5, 0.1, 0.4, 0, -0.2, 1}>
        {
            h1 = MatMul (x, a)
            t1 = Tanh (h1)
            h2 = MatMul (t1, b)
            e2 = Exp (h2)
            s2 = Tanh (e2)
            t2 = Add (t1, s2)
            h3 = MatMul (t2, c)
            e3 = Sigmoid (h3)
            y = Tanh (e3)
        }
        """;

    [Fact]
    public void Gradients_agree_with_differences() => new GradientCheck { Differentiate = WithCheckpoints("t1", "t2") }.Run(Layers, "x", "a", "b", "c");

    [Fact]
    public void Values_that_do_not_stand_alone_may_be_kept() => new GradientCheck { Differentiate = WithCheckpoints("h2", "s2", "h3") }.Run(Layers, "x", "a", "b", "c");

    [Fact]
    public void Layers_are_computed_again()
    {
        using Model model = ModelText.Parse(Layers);
        ShapeInference.Infer(model);
        AddGradients(model, [.. model.Graph.Initializers], "t1", "t2");
        Snapshot.Match(ModelText.Print(model));
    }

    [Fact]
    public void Values_that_stand_alone_are_found()
    {
        using Model model = ModelText.Parse(Layers);
        ShapeInference.Infer(model);
        Value[] wanted = [.. model.Graph.Initializers];
        // Activations of 64 bytes each: h1 and t1, then h2, e2, s2 and t2, which is the longest segment, then h3, e3 and y.
        // Two values kept and twice 4 in a segment are 10; t1 alone would be 1 + 2 * 7, and t2 alone 1 + 2 * 6.
        Assert.Equal(["t1", "t2"], Checkpoints.Find(model, wanted).Select(v => v.Name));
    }

    [Fact]
    public void Nothing_is_found_where_nothing_is_asked_for()
    {
        using Model model = ModelText.Parse(Layers);
        ShapeInference.Infer(model);
        Assert.Empty(Checkpoints.Find(model, []));
    }

    [Fact]
    public void Checkpoints_need_opset_15()
    {
        var refusal = Assert.Throws<SamCompressException>(() => new GradientCheck { Opset = 14, Differentiate = WithCheckpoints("t1") }.Run(Layers, "x"));
        Assert.Equal("checkpoints need opset 15, and the model has 14", refusal.Message);
    }

    [Fact]
    public void The_sample_encoder_has_the_same_gradients_bit_for_bit_and_computes_nothing_again_before_the_loss()
    {
        using Model plain = Encoder(out Value[] weights);
        AddGradients(plain, weights);
        using Model saving = Encoder(out Value[] same);
        Value last = saving.Graph.Outputs[0];
        IReadOnlyList<Value> checkpoints = Checkpoints.Find(saving, same);
        AddGradients(saving, same, [.. checkpoints.Select(c => c.Name)]);
        NumericAssert.EqualBits(plain, saving);

        // One checkpoint for each half of a block, or more.
        Assert.InRange(checkpoints.Count, 6, 14);
        Node[] copies = [.. saving.Graph.Nodes.Where(n => n.Outputs[0]!.Name.StartsWith("again_", StringComparison.Ordinal) && n.OpType is not ("Shape" or "Concat" or "Reshape"))];
        Assert.True(copies.Length > 100, $"{copies.Length} nodes are copies");
        HashSet<Node> behind = Behind(last.Producer!);
        Assert.All(copies, c => Assert.Contains(c, behind));
    }

    /// <summary>The nodes that cannot run before another one.</summary>
    private static HashSet<Node> Behind(Node node)
    {
        var found = new HashSet<Node> { node };
        var pending = new Queue<Node>(found);
        while (pending.TryDequeue(out Node? next))
        {
            foreach (Use use in next.Outputs.OfType<Value>().SelectMany(o => o.Uses))
            {
                if (found.Add(use.Node))
                    pending.Enqueue(use.Node);
            }
        }

        return found;
    }

    private static Model Encoder(out Value[] weights)
    {
        Model model = OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx"));
        TrainableModel.Prepare(model);
        weights = [.. model.Graph.Initializers.Where(i => i is { ElementType: ElementType.Float, IsUsed: true })];
        return model;
    }

    /// <summary>Makes the gradients of the mean square of the output the outputs.</summary>
    private static void AddGradients(Model model, Value[] wanted, params string[] checkpoints)
    {
        var builder = new GraphBuilder(model, "loss");
        Value output = model.Graph.Outputs[0];
        Value loss = builder.Op("ReduceMean", [builder.Mul(output, output)], [NodeAttribute.Of("keepdims", 0L)]);
        IReadOnlyDictionary<Value, Value> gradients = WithCheckpoints(checkpoints)(model, loss, wanted);
        model.Graph.RemoveOutput(0);
        foreach ((Value value, Value gradient) in gradients)
        {
            Value named = builder.Identity(gradient);
            named.Name = "d_" + value.Name;
            model.Graph.AddOutput(named);
        }

        model.Graph.RemoveUnusedInitializers();
    }

    private static Func<Model, Value, IReadOnlyCollection<Value>, IReadOnlyDictionary<Value, Value>> WithCheckpoints(params string[] names) =>
        (model, loss, wanted) => Differentiator.Differentiate(model, loss, wanted, new DifferentiationOptions
        {
            Checkpoints = [.. model.Graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().Where(v => names.Contains(v.Name))],
        });
}
