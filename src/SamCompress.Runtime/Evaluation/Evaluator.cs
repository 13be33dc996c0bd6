using System.Diagnostics;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Evaluation;

public sealed record EvaluationSettings
{
    public static EvaluationSettings Default { get; } = new();

    /// <summary>Rounds of the latency measurement; 0 leaves it out.</summary>
    public int LatencyRounds { get; init; } = 10;

    /// <summary>The latency measurement stops after this time even when rounds are left; two are always done.</summary>
    public TimeSpan MaxLatencyTime { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How many pictures that cannot be read are left out before it is an error.</summary>
    public int MaxBadPictures { get; init; }

    /// <summary>Of how many pictures, those whose masks agree least, the masks are kept to be looked at. A mask takes a bit a pixel.</summary>
    public int KeptPictures { get; init; }
}

/// <summary>Measures a student against its teacher, one picture at a time: memory does not grow with their number.</summary>
public sealed class Evaluator(Teacher teacher, EvaluationSettings? settings = null)
{
    private readonly EvaluationSettings _settings = settings ?? EvaluationSettings.Default;

    /// <summary>Runs teacher and student on every picture. Both encoders feed the same decoder, unless the student has its own.</summary>
    /// <param name="studentDecoder">Null for the teacher's.</param>
    /// <exception cref="SamCompressException">A picture cannot be read, a model failed, or the student takes another input than the teacher.</exception>
    /// <exception cref="ArgumentException">No pictures.</exception>
    public EvaluationResult Evaluate(
        ImageEncoder student,
        ImageSet pictures,
        MaskDecoder? studentDecoder = null,
        IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(pictures);
        CheckInputs(student);
        var run = new Run();
        LatencyResult? latency = null;
        for (int i = 0; i < pictures.Paths.Count; i++)
        {
            progress?.Report(new EvaluationProgress("comparing with the original", i, pictures.Paths.Count));
            if (Load(pictures.Paths[i], run.Skipped, cancellationToken) is not { } image)
                continue;
            using (image)
            {
                run.Note(image.Remarks);
                Compare(student, studentDecoder ?? teacher.Decoder, image, run, cancellationToken);
            }
        }

        progress?.Report(new EvaluationProgress("comparing with the original", pictures.Paths.Count, pictures.Paths.Count));
        if (run.Pictures.Count == 0)
            throw new ArgumentException("an evaluation needs pictures");
        if (_settings.LatencyRounds > 0)
        {
            using EncoderImage image = teacher.Images.Load(run.Pictures[0].Path, cancellationToken);
            latency = Measure(student, image.Input, progress, cancellationToken);
        }

        return run.Result() with { TeacherBytes = teacher.Encoder.FileBytes, StudentBytes = student.FileBytes, Latency = latency };
    }

    private void CheckInputs(ImageEncoder student)
    {
        Preprocessing wanted = teacher.Encoder.Preprocessing;
        if (student.Preprocessing.Side == wanted.Side && student.Preprocessing.Layout == wanted.Layout)
            return;
        throw new SamCompressException(
            FailureKind.Unsupported,
            $"takes pictures of {student.Preprocessing.Side} pixels ({student.Preprocessing.Layout}), the original of {wanted.Side} ({wanted.Layout})",
            "compare models that come from the same original")
        {
            Location = student.Session.Name,
        };
    }

    private EncoderImage? Load(string path, List<string> skipped, CancellationToken cancellationToken)
    {
        try
        {
            return teacher.Images.Load(path, cancellationToken);
        }
        catch (SamCompressException e) when (e.Kind == FailureKind.InputRejected && skipped.Count < _settings.MaxBadPictures)
        {
            skipped.Add(e.Message);
            return null;
        }
    }

    private void Compare(ImageEncoder student, MaskDecoder? decoder, EncoderImage image, Run run, CancellationToken cancellationToken)
    {
        TeacherSample sample = teacher.Run(image, cancellationToken);
        using RuntimeTensors embeddings = student.Encode(image.Input, teacher.EncoderOutputs, cancellationToken);
        float[] reference = sample.Embeddings[DecoderInterface.ImageEmbeddings];
        Span<float> actual = embeddings[DecoderInterface.ImageEmbeddings].As<float>();
        if (actual.Length != reference.Length)
            throw new SamCompressException(FailureKind.Unsupported, $"gives embeddings of {actual.Length} numbers, the original of {reference.Length}") { Location = student.Session.Name };
        (double signal, double noise) = EvaluationMetrics.Powers(reference, actual);
        run.Signal += signal;
        run.Noise += noise;
        int first = run.Ious.Count;
        double boundary = 0;
        var pairs = new List<MaskPair>();
        foreach (TeacherAnswer answer in sample.Answers)
        {
            MaskPrediction prediction = decoder!.Decode(embeddings, image.Width, image.Height, answer.Prompt, cancellationToken);
            if (prediction.Masks.Count != answer.IouPredictions.Count)
                throw new SamCompressException(FailureKind.Unsupported, $"the student's decoder gives {prediction.Masks.Count} masks, the original's {answer.IouPredictions.Count}");
            BinaryMask mask = prediction.Masks[answer.Best];
            double iou = BinaryMask.Iou(answer.Mask, mask);
            run.Ious.Add(iou);
            pairs.Add(new MaskPair(answer.Prompt, answer.Mask, mask, iou));
            boundary += BinaryMask.BoundaryIou(answer.Mask, mask);
            run.Agreements += prediction.Best == answer.Best ? 1 : 0;
            for (int i = 0; i < answer.IouPredictions.Count; i++)
                run.IouHeadErrors += Math.Abs((double)answer.IouPredictions[i] - prediction.IouPredictions[i]);
            run.IouHeads += answer.IouPredictions.Count;
        }

        run.BoundaryIous += boundary;
        int count = run.Ious.Count - first;
        List<double> ious = run.Ious.GetRange(first, count);
        run.Pictures.Add(new PictureResult(
            image.Path,
            image.Sha256,
            image.Width,
            image.Height,
            EvaluationMetrics.Cosine(reference, actual),
            EvaluationMetrics.Sqnr(signal, noise),
            count > 0 ? ious.Average() : null,
            count > 0 ? ious.Min() : null,
            count > 0 ? boundary / count : null));
        if (count > 0)
            run.Keep(new PictureMasks(run.Pictures[^1], pairs), _settings.KeptPictures);
    }

    private LatencyResult Measure(ImageEncoder student, RuntimeTensor input, IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        const int leastRounds = 2;
        double teacherTime = double.PositiveInfinity;
        double studentTime = double.PositiveInfinity;
        var total = Stopwatch.StartNew();
        int rounds = 0;
        Time(teacher.Encoder);
        Time(student);
        while (rounds < _settings.LatencyRounds && (rounds < leastRounds || total.Elapsed < _settings.MaxLatencyTime))
        {
            progress?.Report(new EvaluationProgress("measuring speed", rounds, _settings.LatencyRounds));
            teacherTime = Math.Min(teacherTime, Time(teacher.Encoder));
            studentTime = Math.Min(studentTime, Time(student));
            rounds++;
        }

        progress?.Report(new EvaluationProgress("measuring speed", _settings.LatencyRounds, _settings.LatencyRounds));
        return new LatencyResult(teacherTime, studentTime, rounds);

        double Time(ImageEncoder encoder)
        {
            long start = Stopwatch.GetTimestamp();
            encoder.Encode(input, teacher.EncoderOutputs, cancellationToken).Dispose();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }

    /// <summary>The sums of one evaluation.</summary>
    private sealed class Run
    {
        private readonly SortedDictionary<string, int> _remarks = new(StringComparer.Ordinal);
        private readonly List<PictureMasks> _worst = [];

        public List<PictureResult> Pictures { get; } = [];

        public List<string> Skipped { get; } = [];

        /// <summary>One number for each prompt, for the percentile.</summary>
        public List<double> Ious { get; } = [];

        public double BoundaryIous { get; set; }

        public int Agreements { get; set; }

        public double IouHeadErrors { get; set; }

        public int IouHeads { get; set; }

        public double Signal { get; set; }

        public double Noise { get; set; }

        public void Note(IEnumerable<string> remarks)
        {
            foreach (string remark in remarks)
                _remarks[remark] = _remarks.GetValueOrDefault(remark) + 1;
        }

        /// <summary>Keeps the masks of a picture if they agree less than those of the pictures before; of equal ones the first is kept.</summary>
        public void Keep(PictureMasks picture, int most)
        {
            _worst.Insert(_worst.FindLastIndex(w => w.Picture.MeanIou <= picture.Picture.MeanIou) + 1, picture);
            if (_worst.Count > most)
                _worst.RemoveAt(most);
        }

        public EvaluationResult Result() => new()
        {
            Pictures = Pictures,
            Masks = Ious.Count == 0 ? null : new MaskResult(
                Ious.Count,
                Ious.Average(),
                EvaluationMetrics.Percentile(Ious, 5),
                Ious.Min(),
                BoundaryIous / Ious.Count,
                (double)Agreements / Ious.Count,
                IouHeadErrors / IouHeads),
            EmbeddingCosine = Pictures.Average(p => p.EmbeddingCosine),
            WorstEmbeddingCosine = Pictures.Min(p => p.EmbeddingCosine),
            EmbeddingSqnr = EvaluationMetrics.Sqnr(Signal, Noise),
            Skipped = Skipped,
            Worst = _worst,
            Remarks = _remarks,
        };
    }
}
