using SamCompress.IR;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Tests.Images;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Evaluation;

public sealed class EvaluatorTests : IDisposable
{
    private static readonly EvaluationSettings NoLatency = new() { LatencyRounds = 0 };

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");
    private readonly string _teacher;
    private readonly string _student;
    private readonly string _decoder;
    private readonly string _picture;

    public EvaluatorTests()
    {
        _teacher = Path.Combine(_directory.FullName, "teacher.onnx");
        _student = Path.Combine(_directory.FullName, "student.onnx");
        _decoder = Path.Combine(_directory.FullName, "toy_decoder.onnx");
        _picture = Path.Combine(_directory.FullName, "columns.png");
        ToyModels.SaveEncoder(_teacher, 0);
        ToyModels.SaveEncoder(_student, -1);
        ToyModels.SaveDecoder(_decoder);
        File.WriteAllBytes(_picture, ToyModels.Columns);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>
    /// The columns are -2.12, -0.66, 0.79 and 2.25; the student has 1 less. The teacher's best mask is the positive one, of two
    /// columns; the student's positive one has a single column, and its best one is the negative one.
    /// </summary>
    [Fact]
    public void Measures_masks_and_embeddings_by_their_definitions()
    {
        EvaluationResult result = Evaluate(_student, [_picture, _picture]);
        double[] v = ToyModels.ColumnValues;
        double power = v.Sum(x => x * x);
        double cosine = (power - v.Sum()) / Math.Sqrt(power * v.Sum(x => (x - 1) * (x - 1)));
        MaskResult masks = result.Masks!;
        Assert.Equal(32, masks.Prompts);
        Assert.Equal((0.5, 0.5, 0.5, 0.5), (masks.MeanIou, masks.P5Iou, masks.MinIou, masks.MeanBoundaryIou));
        Assert.Equal(0, masks.BestMaskAgreement);
        Assert.Equal(1, masks.IouHeadError, 5);
        Assert.Equal(cosine, result.EmbeddingCosine, 5);
        Assert.Equal(0.846, result.EmbeddingCosine, 3);
        Assert.Equal(10 * Math.Log10(power / 4), result.EmbeddingSqnr!.Value, 4);
        Assert.Equal(4.24, result.EmbeddingSqnr.Value, 2);
        Assert.Equal(1, result.SizeRatio);
        Assert.Null(result.Latency);
    }

    [Fact]
    public void Finds_no_difference_between_a_model_and_itself()
    {
        EvaluationResult result = Evaluate(_teacher, [_picture]);
        Assert.Equal((1.0, 1.0, 1.0, 0.0), (result.Masks!.MeanIou, result.Masks.MeanBoundaryIou, result.Masks.BestMaskAgreement, result.Masks.IouHeadError));
        Assert.Equal(1, result.EmbeddingCosine, 12);
        Assert.Null(result.EmbeddingSqnr);
    }

    [Fact]
    public void Gives_a_row_for_each_picture()
    {
        string white = Path.Combine(_directory.FullName, "white.png");
        File.WriteAllBytes(white, TestPictures.Png(16, 16, 8, 0, [.. Enumerable.Repeat((byte)255, 256)]));
        EvaluationResult result = Evaluate(_student, [_picture, white]);
        Assert.Equal([_picture, white], result.Pictures.Select(p => p.Path));
        Assert.Equal([0.5, 1], result.Pictures.Select(p => p.MeanIou!.Value));
        Assert.Equal(0.75, result.Masks!.MeanIou);
        Assert.Equal(0.5, result.Masks.BestMaskAgreement);
        Assert.Equal(64, result.Pictures[0].Sha256.Length);
        Assert.Equal(2, result.Remarks["grey is copied to three channels"]);
    }

    /// <summary>A white picture agrees in every pixel; of the striped one, twice here, the student meets half of each mask.</summary>
    [Fact]
    public void Keeps_the_masks_of_the_pictures_that_agree_least()
    {
        string white = Path.Combine(_directory.FullName, "white.png"), again = Path.Combine(_directory.FullName, "again.png");
        File.WriteAllBytes(white, TestPictures.Png(16, 16, 8, 0, [.. Enumerable.Repeat((byte)255, 256)]));
        File.WriteAllBytes(again, ToyModels.Columns);

        EvaluationResult result = Evaluate(_student, [white, _picture, again], NoLatency with { KeptPictures = 2 });

        Assert.Equal([_picture, again], result.Worst.Select(w => w.Picture.Path));
        Assert.Equal(16, result.Worst[0].Masks.Count);
        Assert.All(result.Worst[0].Masks, m => Assert.Equal((0.5, m.Teacher.Area), (m.Iou, 2 * m.Student.Area)));
        Assert.Empty(Evaluate(_student, [white, _picture]).Worst);
    }

    [Fact]
    public void Compares_embeddings_alone_without_a_decoder()
    {
        using Teacher teacher = Teacher.Open(_teacher, null);
        using ImageEncoder student = ImageEncoder.Open(_student);
        EvaluationResult result = new Evaluator(teacher, NoLatency).Evaluate(student, ImageSet.Of([_picture]));
        Assert.Null(result.Masks);
        Assert.Null(result.Pictures[0].MeanIou);
        Assert.Equal(0.846, result.EmbeddingCosine, 3);
    }

    [Fact]
    public void Measures_latency_of_both_in_turns()
    {
        using Teacher teacher = Teacher.Open(_teacher, _decoder);
        using ImageEncoder student = ImageEncoder.Open(_student);
        LatencyResult latency = new Evaluator(teacher, new EvaluationSettings { LatencyRounds = 3 }).Evaluate(student, ImageSet.Of([_picture])).Latency!;
        Assert.Equal(3, latency.Rounds);
        Assert.Equal(latency.TeacherMilliseconds / latency.StudentMilliseconds, latency.Speedup);
        Assert.True(latency.StudentMilliseconds > 0);
    }

    [Fact]
    public void Names_a_bad_picture_and_leaves_it_out_only_when_allowed()
    {
        string bad = Path.Combine(_directory.FullName, "bad.png");
        File.WriteAllText(bad, "no picture");
        var e = Assert.Throws<SamCompressException>(() => Evaluate(_student, [_picture, bad]));
        Assert.Equal(FailureKind.InputRejected, e.Kind);
        Assert.Contains("bad.png", e.Message, StringComparison.Ordinal);
        EvaluationResult result = Evaluate(_student, [_picture, bad], NoLatency with { MaxBadPictures = 1 });
        Assert.Contains("bad.png", Assert.Single(result.Skipped), StringComparison.Ordinal);
        Assert.Single(result.Pictures);
    }

    [Fact]
    public void Refuses_a_student_of_another_input_size()
    {
        using Teacher teacher = Teacher.Open(_teacher, _decoder);
        using ImageEncoder student = ImageEncoder.Open(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx"));
        var e = Assert.Throws<SamCompressException>(() => new Evaluator(teacher).Evaluate(student, ImageSet.Of([_picture])));
        Assert.Equal(FailureKind.Unsupported, e.Kind);
    }

    [Fact]
    public void Evaluates_a_student_in_memory()
    {
        using Teacher teacher = Teacher.Open(_teacher, _decoder);
        using Model model = OnnxReader.Read(_student);
        using ImageEncoder student = ImageEncoder.Open(model);
        EvaluationResult result = new Evaluator(teacher, NoLatency).Evaluate(student, ImageSet.Of([_picture]));
        Assert.Equal(0.5, result.Masks!.MeanIou);
        Assert.Null(result.SizeRatio);
    }

    [Fact]
    public void Reports_progress_and_stops_when_cancelled()
    {
        using Teacher teacher = Teacher.Open(_teacher, _decoder);
        using ImageEncoder student = ImageEncoder.Open(_student);
        var progress = new List<EvaluationProgress>();
        using var source = new CancellationTokenSource();
        var recorder = new Recorder(p =>
        {
            progress.Add(p);
            if (p.Done == 1)
                source.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() =>
            new Evaluator(teacher, NoLatency).Evaluate(student, ImageSet.Of([_picture, _picture, _picture]), null, recorder, source.Token));
        Assert.Equal([0, 1], progress.Select(p => p.Done));
        Assert.All(progress, p => Assert.Equal(3, p.Total));
    }

    /// <summary>The sample model agrees with itself, and a coarse one does not: the whole chain with the official interface.</summary>
    [Fact]
    public void Evaluates_the_sample_model()
    {
        string folder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano");
        string encoder = Path.Combine(folder, "encoder.onnx");
        using Teacher teacher = Teacher.Open(encoder, DecoderInterface.FindBeside(encoder));
        using Model model = OnnxReader.Read(encoder);
        foreach (Value value in model.Graph.Initializers.Where(v => v is { ElementType: ElementType.Float, Initializer.Count: > 1000 }).ToList())
        {
            float[] weights = value.Initializer!.ToArray<float>();
            float step = weights.Max(MathF.Abs) / 7;
            model.Graph.SetInitializer(value, Tensor.Of(Array.ConvertAll(weights, w => MathF.Round(w / step) * step), value.Initializer.Dimensions.AsSpan()));
        }

        using ImageEncoder coarse = ImageEncoder.Open(model);
        using ImageEncoder same = ImageEncoder.Open(encoder);
        ImageSet pictures = ImageSet.Of([TestPictures.Scene(1), TestPictures.Scene(7)]);
        var evaluator = new Evaluator(teacher, NoLatency);
        Assert.Equal(1, evaluator.Evaluate(same, pictures).Masks!.MeanIou);
        double coarseIou = evaluator.Evaluate(coarse, pictures).Masks!.MeanIou;
        Assert.InRange(coarseIou, 0.2, 0.99);
        Assert.Equal(2, teacher.Runs);
    }

    private EvaluationResult Evaluate(string studentPath, string[] pictures, EvaluationSettings? settings = null)
    {
        using Teacher teacher = Teacher.Open(_teacher, _decoder);
        using ImageEncoder student = ImageEncoder.Open(studentPath);
        return new Evaluator(teacher, settings ?? NoLatency).Evaluate(student, ImageSet.Of(pictures));
    }

    private sealed class Recorder(Action<EvaluationProgress> report) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value) => report(value);
    }
}
