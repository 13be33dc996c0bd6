using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Passes.Rewriting;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Differentiation.Training;

public sealed class AdamWTests
{
    private const double Rate = 0.05;

    private static readonly float[][] Pictures = [[1, -2, 0.8f], [0.3f, 1.5f, -1], [-0.6f, 0.2f, 2]];
    private static readonly float[][] Targets = [[1, 2], [-1, 0.5f], [0, -2]];
    private static readonly double[] W = [0.5, -1, 2, 0.25, -0.75, 1.5];
    private static readonly double[] B = [0.1, -0.2];

    [Theory]
    [InlineData(0, null)]
    [InlineData(0.1, null)]
    [InlineData(0.1, 0.5)]
    public void Steps_follow_the_formula(double decay, double? clip)
    {
        using TrainingGraph graph = Build(new TrainingOptions { WeightDecay = decay, ClipNorm = clip });
        using var session = TrainingSession.Open(graph);
        var expected = new Reference(decay, clip);
        for (int i = 0; i < 3; i++)
        {
            StepLosses losses = Step(session, i);
            expected.Update([expected.Gradient(i)]);
            Close(expected, session);
            if (clip is not null)
                Assert.Equal(expected.Norm, losses.GradientNorm!.Value, 1e-4 * expected.Norm);
        }

        Assert.Equal(3, session.Updates);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0.5)]
    public void Accumulated_gradients_are_averaged_and_nothing_moves_in_between(double? clip)
    {
        using TrainingGraph graph = Build(new TrainingOptions { WeightDecay = 0.1, ClipNorm = clip, Accumulation = 3 });
        using var session = TrainingSession.Open(graph);
        var expected = new Reference(0.1, clip);
        for (int update = 0; update < 2; update++)
        {
            var gradients = new List<double[]>();
            for (int i = 0; i < 3; i++)
            {
                gradients.Add(expected.Gradient(i));
                Step(session, i);
                if (i == 2)
                    expected.Update(gradients);
                Close(expected, session, clip is null ? 3 : 1);
            }

            Assert.All(session.Read(StateKind.GradientSum).Values, sum => Assert.All(sum.ToArray<float>(), e => Assert.Equal(0, e)));
        }

        Assert.Equal((6, 2), (session.Pictures, session.Updates));
    }

    [Fact]
    public void The_first_step_goes_by_the_learning_rate_against_the_sign()
    {
        using TrainingGraph graph = Build(new TrainingOptions());
        using var session = TrainingSession.Open(graph);
        // X = {1, -2, 0.8}, y = {-4, -0.5}, target {1, 2}: dy = {-5, -2.5}, dw = xᵀ dy.
        Step(session, 0);
        Assert.Equal([0.55, -0.95, 1.95, 0.2, -0.7, 1.55], session.Read(StateKind.Weight)["w"].ToArray<float>().Select(e => Math.Round(e, 5)));
        Assert.Equal([0.15, -0.15], session.Read(StateKind.Weight)["b"].ToArray<float>().Select(e => Math.Round(e, 5)));
    }

    [Fact]
    public void Weights_named_by_the_options_do_not_decay()
    {
        using TrainingGraph graph = Build(new TrainingOptions { WeightDecay = 0.1, WithoutDecay = name => name == "w" });
        using var session = TrainingSession.Open(graph);
        var expected = new Reference(0, null);
        Step(session, 0);
        expected.Update([expected.Gradient(0)]);
        Close(expected, session);
    }

    /// <summary>
    /// The numbers of ONNX's backend test test_adam, of the operator ai.onnx.preview.training.Adam: its step corrects no moment, as ours does not after many updates,
    /// and its decay is part of the gradient.
    /// </summary>
    [Fact]
    public void The_operator_of_ONNX_gives_the_same()
    {
        const double Alpha = 0.95f, Beta = 0.1f, Norm = 0.001f;
        double[] x = [1.2f, 2.8f], g = [-0.94f, -2.5f], v = [1.7f, 3.6f], h = [0.1f, 0.1f];
        using var model = new Model(10, [new OpsetImport("", 17)]);
        Value[] inputs = [.. ((string[])["X", "G", "M", "V"]).Select(n => model.Graph.AddInput(n, ElementType.Float, Shape.Of(2)))];
        Value rate = model.Graph.AddInput("rate", ElementType.Double, Shape.Of()), update = model.Graph.AddInput("update", ElementType.Int64, Shape.Of());
        var graph = new GraphBuilder(model, "adam");
        var adam = new AdamW(graph, new TrainingOptions { Beta1 = Alpha, Beta2 = Beta, Epsilon = 1e-7 }, rate, update, 1);
        AdamState next = adam.Update(graph, new AdamState(inputs[0], inputs[2], inputs[3]), inputs[1], decays: true);
        foreach (Value output in (Value[])[next.Weight, next.First, next.Second])
            model.Graph.AddOutput(output);

        using OnnxSession session = OnnxSession.Open(model);
        Dictionary<string, RuntimeTensor> given = new()
        {
            ["X"] = Vector(x),
            ["G"] = Vector([.. g.Zip(x, (a, b) => a + (Norm * b))]),
            ["M"] = Vector([.. v.Select(e => e / (1 - Alpha))]),
            ["V"] = Vector([.. h.Select(e => e / (1 - Beta))]),
            ["rate"] = RuntimeTensor.Scalar((double)0.1f),
            ["update"] = RuntimeTensor.Scalar(1_000_000L),
        };
        using RuntimeTensors results = session.Run(given);
        Close([1.025036334991455, 2.6610326766967773], results[next.Weight.Name].ToArray<float>(), 1);
        Close([1.568060040473938, 3.295139789581299], results[next.First.Name].ToArray<float>(), 1 - Alpha);
        Close([0.8032107949256897, 5.622406959533691], results[next.Second.Name].ToArray<float>(), 1 - Beta);
        foreach (RuntimeTensor tensor in given.Values)
            tensor.Dispose();

        static RuntimeTensor Vector(double[] elements) => RuntimeTensor.Of(Array.ConvertAll(elements, e => (float)e), elements.Length);
    }

    private static TrainingGraph Build(TrainingOptions options)
    {
        using Model student = ModelText.Parse("""
            g (float[1,3] X) => (float[1,2] Y) <float[3,2] w = {0.5, -1, 2, 0.25, -0.75, 1.5}, float[2] b = {0.1, -0.2}>
            { m = MatMul (X, w) Y = Add (m, b) }
            """);
        return TrainingGraph.Build(student, [new LossTerm("Y")], options);
    }

    private static StepLosses Step(TrainingSession session, int picture)
    {
        using RuntimeTensor x = RuntimeTensor.Of(Pictures[picture], 1, 3), t = RuntimeTensor.Of(Targets[picture], 1, 2);
        return session.Step(new Dictionary<string, RuntimeTensor> { ["X"] = x }, new Dictionary<string, RuntimeTensor> { ["Y"] = t }, learningRate: Rate);
    }

    /// <param name="factor">How much greater than the mean the gradients in the moments are.</param>
    private static void Close(Reference expected, TrainingSession session, int factor = 1)
    {
        IReadOnlyDictionary<string, Tensor> weights = session.Read(StateKind.Weight), first = session.Read(StateKind.FirstMoment), second = session.Read(StateKind.SecondMoment);
        Close(expected.Weights, [.. weights["w"].ToArray<float>(), .. weights["b"].ToArray<float>()], 1);
        Close(expected.First, [.. first["w"].ToArray<float>(), .. first["b"].ToArray<float>()], 0.1 / factor);
        Close(expected.Second, [.. second["w"].ToArray<float>(), .. second["b"].ToArray<float>()], 0.001 / factor / factor);
    }

    /// <summary>Within what float rounds off in a few operations.</summary>
    private static void Close(double[] expected, float[] actual, double factor)
    {
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i] * factor, 3e-6 * Math.Max(1, Math.Abs(expected[i])));
    }

    /// <summary>The formulas of the paper, in double, for the mean of (x w + b - t)².</summary>
    private sealed class Reference(double decay, double? clip)
    {
        private int _updates;

        public double[] Weights { get; } = [.. W, .. B];

        public double[] First { get; } = new double[8];

        public double[] Second { get; } = new double[8];

        public double Norm { get; private set; }

        public double[] Gradient(int picture)
        {
            var gradient = new double[8];
            for (int column = 0; column < 2; column++)
            {
                double y = Weights[6 + column];
                for (int row = 0; row < 3; row++)
                    y += Pictures[picture][row] * Weights[(row * 2) + column];
                double dy = 2 * (y - Targets[picture][column]) / 2;
                for (int row = 0; row < 3; row++)
                    gradient[(row * 2) + column] = Pictures[picture][row] * dy;
                gradient[6 + column] = dy;
            }

            return gradient;
        }

        public void Update(IReadOnlyList<double[]> gradients)
        {
            double[] mean = [.. Enumerable.Range(0, 8).Select(i => gradients.Average(g => g[i]))];
            Norm = Math.Sqrt(mean.Sum(e => e * e));
            double scale = clip is { } limit ? Math.Min(1, limit / (Norm + 1e-6)) : 1;
            _updates++;
            for (int i = 0; i < 8; i++)
            {
                double g = mean[i] * scale;
                First[i] = (0.9 * First[i]) + (0.1 * g);
                Second[i] = (0.999 * Second[i]) + (0.001 * g * g);
                double m = First[i] / (1 - Math.Pow(0.9, _updates)), v = Second[i] / (1 - Math.Pow(0.999, _updates));
                if (i < 6)
                    Weights[i] -= Rate * decay * Weights[i];
                Weights[i] -= Rate * m / (Math.Sqrt(v) + 1e-8);
            }
        }
    }
}
