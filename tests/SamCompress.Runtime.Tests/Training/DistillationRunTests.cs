using System.Globalization;
using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Passes.Distillation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Tests.Images;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Training;

public sealed class DistillationRunTests
{
    private const string Teacher = """
        encoder (float[1,3,16,16] image) => (float[1,2,4,4] embedding)
        <float[2,3,4,4] weight, float[2] b = {0.5, -0.25}>
        {
            embedding = Conv <strides = [4, 4]> (image, weight, b)
        }
        """;

    /// <summary>A convolution can learn another one whole: what is left of the error is nothing but the end of the learning rate.</summary>
    [Theory]
    [InlineData(LossKind.Squared)]
    [InlineData(LossKind.Absolute)]
    public void A_student_of_the_same_form_becomes_its_teacher(LossKind kind)
    {
        using Model teacher = Of(Teacher, 0.1f), student = Of(Teacher, 0);
        TrainingOutcome outcome = Learn(student, teacher, kind, updates: 400, out Model learned);
        using (learned)
        {
            float[] weights = WeightsOf(learned);
            Assert.All(weights, w => Assert.Equal(0.1f, w, 0.02f));
            Assert.True(outcome.Validations[^1].Score > outcome.Validations[0].Score);
            Assert.All(WeightsOf(student), w => Assert.Equal(0, w));
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_bytes()
    {
        using Model teacher = Of(Teacher, 0.1f), student = Of(Teacher, 0);
        Learn(student, teacher, LossKind.Squared, updates: 20, out Model first);
        Learn(student, teacher, LossKind.Squared, updates: 20, out Model second);
        using (first)
        using (second)
            Assert.Equal(WeightsOf(first), WeightsOf(second));
    }

    /// <summary>A loss in units of the teacher's mean square: over all pictures, a student that gives nothing has loss 1, whatever the teacher's scale.</summary>
    [Theory]
    [InlineData(0.1f)]
    [InlineData(10f)]
    public void A_student_that_gives_nothing_has_a_loss_near_one(float scale)
    {
        using Model teacher = Of(Teacher.Replace("{0.5, -0.25}", "{0, 0}", StringComparison.Ordinal), scale);
        using Model student = Of(Teacher.Replace("{0.5, -0.25}", "{0, 0}", StringComparison.Ordinal), 0);
        var losses = new List<double>();
        using TrainingPictures pictures = Pictures();
        new DistillationRun(new DistillationSettings { Updates = 3, LearningRate = 1e-9 })
            .Run(student, [teacher], DistillationObjective.OfEmbedding(EncoderFeatures.Of(student), LossKind.Squared), pictures, progress: new Recorder(losses)).Model.Dispose();
        Assert.Equal(1, losses.Average(), 1e-4);
    }

    [Fact]
    public void Refuses_a_feature_that_the_teacher_does_not_have()
    {
        using Model teacher = Of(Teacher, 0.1f), student = Of(Teacher.Replace("embedding", "other", StringComparison.Ordinal), 0);
        using TrainingPictures pictures = Pictures();
        InvariantException e = Assert.Throws<InvariantException>(() => new DistillationRun(new DistillationSettings { Updates = 1 })
            .Run(student, [teacher], DistillationObjective.OfEmbedding(EncoderFeatures.Of(student), LossKind.Squared), pictures));
        Assert.Equal("the teacher has no value 'other'", e.Message);
    }

    /// <summary>Which points are asked depends on the weights as they are: they must be those of the run that was not interrupted.</summary>
    [Fact]
    public void Masks_are_learned_and_a_run_that_was_killed_goes_on_to_the_same_bytes()
    {
        string folder = Directory.CreateTempSubdirectory("samcompress").FullName;
        try
        {
            using Model teacher = Sample("encoder"), student = Sample("encoder"), decoder = Sample("decoder");
            TrainableModel.Prepare(teacher);
            TrainableModel.Prepare(student);
            MaskHead.Fix(decoder, DistillationRun.DecoderPoints, prompts: 2);
            Value last = student.Graph.Initializers.Last(i => i.Initializer!.Rank == 4);
            student.Graph.SetInitializer(last, Tensor.Of(Array.ConvertAll(last.Initializer!.ToArray<float>(), w => w * 0.7f), last.Initializer.Dimensions.AsSpan()));
            string killed = Path.Combine(folder, "killed"), straight = Path.Combine(folder, "straight");
            Assert.Throws<InvalidOperationException>(() => Learn(killed, new Killer(3)));
            Assert.True(File.Exists(killed));
            IReadOnlyDictionary<string, Tensor> weights = Learn(killed, null), expected = Learn(straight, null);

            Assert.Equal(File.ReadAllBytes(straight), File.ReadAllBytes(killed));
            Assert.Contains(last.Name, weights.Keys);
            Assert.NotEqual(last.Initializer.ToArray<float>(), weights[last.Name].ToArray<float>());
            Assert.All(weights.Keys, name => Assert.Contains(student.Graph.Initializers, i => i.Name == name));
            Assert.All(weights, w => Assert.Equal(expected[w.Key].ToArray<float>(), w.Value.ToArray<float>()));

            IReadOnlyDictionary<string, Tensor> Learn(string state, IProgress<TrainingProgress>? progress)
            {
                using var pictures = new TrainingPictures(ImageSet.Of([TestPictures.Scene(0), TestPictures.Scene(1)]), new Preprocessing(256, PixelLayout.ChannelsFirst), new Augmentation());
                DistilledModel learned = new DistillationRun(new DistillationSettings { Updates = 4, LearningRate = 1e-4, Checkpoint = state, CheckpointEvery = 2, Session = new SessionSettings { Threads = 1 } })
                    .Run(student, [teacher], DistillationObjective.OfMasks(EncoderFeatures.Of(student), 1), pictures, progress: progress, decoder: decoder);
                learned.Model.Dispose();
                return learned.Outcome.Weights;
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Model Sample(string part) => OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", part + ".onnx"));

    private static TrainingOutcome Learn(Model student, Model teacher, LossKind kind, long updates, out Model learned)
    {
        using TrainingPictures pictures = Pictures();
        DistilledModel result = new DistillationRun(new DistillationSettings { Updates = updates, LearningRate = 0.02, Optimizer = new TrainingOptions(), ValidateEvery = updates / 2 })
            .Run(student, [teacher], DistillationObjective.OfEmbedding(EncoderFeatures.Of(student), kind), pictures, m => -WeightsOf(m).Sum(w => Math.Abs(w - 0.1)));
        learned = result.Model;
        return result.Outcome;
    }

    private static TrainingPictures Pictures() =>
        new(ImageSet.Of([TestPictures.Scene(0), TestPictures.Scene(1), TestPictures.Scene(2)]), new Preprocessing(16, PixelLayout.ChannelsFirst), augmentation: null);

    /// <summary>With the same number for every weight of the convolution.</summary>
    private static Model Of(string text, float weight)
    {
        string numbers = string.Join(", ", Enumerable.Repeat(weight.ToString("R", CultureInfo.InvariantCulture), 96));
        Model model = ModelText.Parse(text.Replace("weight, float[2]", $"weight = {{{numbers}}}, float[2]", StringComparison.Ordinal), 17);
        ShapeInference.Infer(model);
        return model;
    }

    private static float[] WeightsOf(Model model) => model.Graph.Initializers.Single(i => i.Name == "weight").Initializer!.ToArray<float>();

    private sealed class Killer(long update) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Update == update)
                throw new InvalidOperationException("killed");
        }
    }

    private sealed class Recorder(List<double> losses) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => losses.Add(value.Loss);
    }
}
