using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private const int Pictures = 6;

    private static readonly SessionSettings TwoThreads = new() { Threads = 2 };
    private readonly string _folder = Directory.CreateTempSubdirectory("samcompress").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The teacher is in the family of the student, so that the loss goes to nothing.</summary>
    [Fact]
    public void A_student_learns_its_teacher_and_becomes_a_model()
    {
        using Model student = Student(), teacher = Teacher();
        using var graph = TrainingGraph.Build(student, [new LossTerm("Y")]);
        var told = new List<TrainingProgress>();
        TrainingOutcome outcome = new Trainer(graph, Options() with { Updates = 2000, LearningRate = new CosineRate(0.1, 2000) }).Run(Load(teacher), progress: new Told(told));
        Assert.Equal(Enumerable.Range(1, 2000).Select(i => (long)i), told.Select(p => p.Update));
        Assert.True(told[0].Loss > 1, $"the first loss is {told[0].Loss}");
        Assert.InRange(told[^1].Loss, 0, 1e-6);
        Assert.Equal(0, told[^1].Left.Ticks);
        using Model trained = TrainedModel.Of(student, outcome.Weights);
        NumericAssert.Close(teacher, trained, 1e-2);
        Assert.Equal(student.Graph.Initializers.Select(i => i.Name), trained.Graph.Initializers.Select(i => i.Name));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_run_that_was_killed_goes_on_to_the_same_bytes(int accumulation)
    {
        byte[] straight = Run("straight", accumulation, killAt: null, cancelAt: null);
        Assert.Equal(straight, Run("killed", accumulation, killAt: 17, cancelAt: null));
        Assert.Equal(straight, Run("cancelled", accumulation, killAt: null, cancelAt: 17));
        Assert.Equal(straight, Run("again", accumulation, killAt: null, cancelAt: null));

        byte[] Run(string name, int k, int? killAt, int? cancelAt)
        {
            string file = Path.Combine(_folder, name);
            using Model student = Student(), teacher = Teacher();
            using var graph = TrainingGraph.Build(student, [new LossTerm("Y")], new TrainingOptions { Accumulation = k, ClipNorm = 1, WeightDecay = 0.1 });
            TrainerOptions options = Options() with
            {
                Updates = 12,
                Checkpoint = file,
                CheckpointEvery = 2,
                ValidateEvery = 2,
                LearningRate = new PlateauRate(0.02, 1),
                TermWeights = new Dictionary<string, IReadOnlyList<float>> { ["Y"] = [1, 0.5f, 0.25f] },
            };
            if (killAt is not null || cancelAt is not null)
            {
                using var cancel = new CancellationTokenSource();
                int seen = 0;
                Exception e = Assert.ThrowsAny<Exception>(() => new Trainer(graph, options, TwoThreads).Run(
                    (draw, weights) =>
                    {
                        seen++;
                        if (seen == killAt * k / 2)
                            throw new InvalidOperationException("killed");
                        if (seen == cancelAt * k / 2)
                            cancel.Cancel();
                        return Load(teacher)(draw, weights);
                    },
                    Score,
                    cancellationToken: cancel.Token));
                Assert.Equal(killAt is not null, e is InvalidOperationException);
                Assert.True(File.Exists(file));
            }

            new Trainer(graph, options, TwoThreads).Run(Load(teacher), Score);
            return File.ReadAllBytes(file);
        }
    }

    [Fact]
    public void A_run_that_was_cancelled_while_it_validated_validates_when_it_goes_on()
    {
        string file = Path.Combine(_folder, "validating");
        using Model student = Student(), teacher = Teacher();
        using var graph = TrainingGraph.Build(student, [new LossTerm("Y")]);
        TrainerOptions options = Options() with { Updates = 6, Checkpoint = file, ValidateEvery = 2 };
        Assert.Throws<OperationCanceledException>(() => new Trainer(graph, options).Run(Load(teacher), _ => throw new OperationCanceledException()));
        TrainingOutcome outcome = new Trainer(graph, options).Run(Load(teacher), Score);
        Assert.Equal([2, 4, 6], outcome.Validations.Select(v => v.Update));
    }

    [Fact]
    public void The_weights_of_the_best_validation_are_kept()
    {
        using Model student = Student(), teacher = Teacher();
        using var graph = TrainingGraph.Build(student, [new LossTerm("Y")]);
        double[] scores = [1, 3, 2];
        var seen = new List<float[]>();
        TrainingOutcome outcome = new Trainer(graph, Options() with { Updates = 6, ValidateEvery = 2 }).Run(Load(teacher), weights =>
        {
            seen.Add(weights["w"].ToArray<float>());
            return scores[seen.Count - 1];
        });
        Assert.Equal(new Validation(4, 3), outcome.Best);
        Assert.Equal(seen[1], outcome.Weights["w"].ToArray<float>());
        Assert.NotEqual(seen[2], outcome.Weights["w"].ToArray<float>());
    }

    [Fact]
    public void A_checkpoint_of_other_options_or_another_model_is_refused()
    {
        string file = Path.Combine(_folder, "run");
        using Model student = Student(), teacher = Teacher();
        using var graph = TrainingGraph.Build(student, [new LossTerm("Y")]);
        TrainerOptions options = Options() with { Updates = 2, Checkpoint = file };
        new Trainer(graph, options).Run(Load(teacher));
        Assert.Equal(3, Assert.Single(Updates(options with { Updates = 3 })));
        Assert.Throws<SamCompressException>(() => Updates(options with { Updates = 4, Seed = 1 }));
        Assert.Throws<SamCompressException>(() => Updates(options with { Updates = 4, LearningRate = new ConstantRate(0.5) }));
        Assert.Throws<SamCompressException>(() => Updates(options with { Updates = 4, DataIdentity = "other pictures" }));
        student.Graph.SetInitializer(student.Graph.Initializers.Single(i => i.Name == "b"), Tensor.Of([0f, 1f], 2));
        using var other = TrainingGraph.Build(student, [new LossTerm("Y")]);
        Assert.Throws<SamCompressException>(() => new Trainer(other, options).Run(Load(teacher)));

        List<long> Updates(TrainerOptions o)
        {
            var told = new List<TrainingProgress>();
            new Trainer(graph, o).Run(Load(teacher), progress: new Told(told));
            return [.. told.Select(p => p.Update)];
        }
    }

    [Fact]
    public void A_loss_that_is_not_finite_is_an_error_and_changes_nothing()
    {
        using Model student = Student();
        using var graph = TrainingGraph.Build(student, [new LossTerm("Y")]);
        using var session = TrainingSession.Open(graph);
        float[] before = session.Read(StateKind.Weight)["w"].ToArray<float>();
        using RuntimeTensor x = RuntimeTensor.Of([float.PositiveInfinity, 0f, 0f], 1, 3), t = RuntimeTensor.Of([1f, 2f], 1, 2);
        SamCompressException e = Assert.Throws<SamCompressException>(() =>
            session.Step(new Dictionary<string, RuntimeTensor> { ["X"] = x }, new Dictionary<string, RuntimeTensor> { ["Y"] = t }, learningRate: 1));
        Assert.Equal(FailureKind.Runtime, e.Kind);
        Assert.Contains("of picture 1 is", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, session.Read(StateKind.Weight)["w"].ToArray<float>());
        Assert.Equal(0, session.Pictures);
    }

    /// <summary>A real encoder, with matrix products and normalizations that ONNX Runtime shares out among threads.</summary>
    [Fact]
    public void Steps_of_an_encoder_give_the_same_bytes_each_time()
    {
        using Model student = OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx"));
        TrainableModel.Prepare(student);
        Value input = student.Graph.Inputs[0], output = student.Graph.Outputs[0];
        using var graph = TrainingGraph.Build(student, [new LossTerm(output.Name)]);
        using RuntimeTensor x = Random(input, 1), t = Random(output, 2);
        (double[] Losses, Dictionary<string, float[]> Weights)[] runs = [Run(), Run()];
        Assert.Equal(runs[0].Losses, runs[1].Losses);
        Assert.True(runs[0].Losses[2] < runs[0].Losses[0], $"losses {string.Join(", ", runs[0].Losses)}");
        foreach ((string name, float[] weight) in runs[0].Weights)
            Assert.Equal(weight, runs[1].Weights[name]);

        (double[] Losses, Dictionary<string, float[]> Weights) Run()
        {
            using var session = TrainingSession.Open(graph, TwoThreads);
            double[] losses = new double[3];
            for (int i = 0; i < 3; i++)
                losses[i] = session.Step(new Dictionary<string, RuntimeTensor> { [input.Name] = x }, new Dictionary<string, RuntimeTensor> { [output.Name] = t }, learningRate: 1e-4).Loss;
            return (losses, session.ReadState().ToDictionary(s => s.Key, s => s.Value.ToArray<float>()));
        }

        static RuntimeTensor Random(Value value, int seed)
        {
            long[] shape = value.Shape!.ToStatic()!;
            var random = new Random(seed);
            return RuntimeTensor.Of([.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => (float)((random.NextDouble() * 2) - 1))], shape);
        }
    }

    [Fact]
    public void Weights_of_another_shape_make_no_model()
    {
        using Model student = Student();
        Assert.Throws<InvariantException>(() => TrainedModel.Of(student, new Dictionary<string, Tensor> { ["w"] = Tensor.Of([1f], 1) }));
    }

    [Fact]
    public void A_device_reader_copies()
    {
        using var reader = new DeviceReader(ExecutionDevice.Cpu);
        using RuntimeTensor tensor = RuntimeTensor.Of([1f, 2f, 3f], 3, 1);
        Tensor copy = reader.Read(tensor);
        tensor.As<float>()[0] = 9;
        Assert.Equal([1f, 2f, 3f], copy.ToArray<float>());
        Assert.Equal([3L, 1L], [.. copy.Dimensions]);
    }

    private static double Score(IReadOnlyDictionary<string, Tensor> weights) => -Math.Abs(weights["w"].ToArray<float>()[0] - 0.42);

    private static TrainerOptions Options() => new() { PictureCount = Pictures, Updates = 1, LearningRate = new ConstantRate(0.01), Seed = 5 };

    private static Model Student() => ModelText.Parse("""
        g (float[1,3] X) => (float[1,2] Y) <float[3,2] w = {0.5, -1, 2, 0.25, -0.75, 1.5}, float[2] b = {0.1, -0.2}>
        { m = MatMul (X, w) Y = Add (m, b) }
        """);

    private static Model Teacher() => ModelText.Parse("""
        g (float[1,3] X) => (float[1,2] Y) <float[3,2] w = {1, 0.5, -0.5, 1, 0.25, -1}, float[2] b = {0.5, 1}>
        { m = MatMul (X, w) Y = Add (m, b) }
        """);

    private static Func<SampleDraw, IReadOnlyDictionary<string, RuntimeTensor>, TrainingSample> Load(Model teacher)
    {
        var targets = new Dictionary<SampleDraw, float[]>();
        return (draw, _) =>
        {
            draw = draw with { Epoch = 0 };
            var random = new Random(draw.Index);
            float[] x = [.. Enumerable.Range(0, 3).Select(_ => (float)((random.NextDouble() * 4) - 2))];
            Dictionary<string, RuntimeTensor> inputs = new() { ["X"] = RuntimeTensor.Of(x, 1, 3) };
            if (!targets.TryGetValue(draw, out float[]? target))
            {
                using OnnxSession session = OnnxSession.Open(teacher);
                using RuntimeTensors outputs = session.Run(inputs);
                targets[draw] = target = outputs["Y"].ToArray<float>();
            }

            return new TrainingSample(inputs, new Dictionary<string, RuntimeTensor> { ["Y"] = RuntimeTensor.Of((float[])target.Clone(), 1, 2) });
        };
    }

    /// <summary>Progress{T} reports elsewhere and later.</summary>
    private sealed class Told(List<TrainingProgress> list) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => list.Add(value);
    }
}
