using SamCompress.IR;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Cli.Jobs;

/// <summary>Runs a student and its teacher on the same pictures.</summary>
internal sealed class Comparison(ExecutionRequest execution, IJobProgress progress, CancellationToken cancellation)
{
    /// <summary>Up to here both models are kept in memory, to be timed in turns.</summary>
    private const long SmallModelBytes = 200_000_000;

    private static readonly TimeSpan TimeForSpeed = TimeSpan.FromSeconds(4);

    /// <summary>For models that are not timed in turns.</summary>
    private static EvaluationSettings LeastSettings => new() { LatencyRounds = 0, KeptPictures = OverlayStage.MostPictures };

    /// <summary>Whether weights and activations of a model are small enough that a second model beside it does not matter.</summary>
    public static bool IsSmall(string path)
    {
        using Model model = OnnxReader.Read(path, new ReadOptions { AllowMissingData = true, Limits = ReadLimits.None });
        return ModelSource.FootprintBytes(model) <= SmallModelBytes;
    }

    /// <summary>The decoder to use: the one given, which must be one, or else the one beside the encoder, or null.</summary>
    /// <exception cref="SamCompressException">The one given is missing or no decoder.</exception>
    public static string? FindDecoder(string? given, string encoder)
    {
        if (given is not null)
            MaskDecoder.Open(given).Dispose();
        return given ?? DecoderInterface.FindBeside(encoder);
    }

    /// <summary>Both models in memory, taking turns.</summary>
    /// <param name="studentDecoder">Null when both encoders feed the same decoder.</param>
    public (EvaluationResult Result, ReportedSpeed Speed) Together(
        string teacherPath, string studentPath, string? decoder, ImageSet pictures, int badPictures = 0, string? studentDecoder = null)
    {
        using var teacher = Teacher.Open(teacherPath, decoder, new TeacherSettings { Session = execution.Session });
        using var student = ImageEncoder.Open(studentPath, execution.Session);
        using MaskDecoder? second = studentDecoder is null ? null : MaskDecoder.Open(studentDecoder);
        var settings = new EvaluationSettings { MaxLatencyTime = TimeForSpeed, MaxBadPictures = badPictures, KeptPictures = OverlayStage.MostPictures };
        EvaluationResult result = new Evaluator(teacher, settings).Evaluate(student, pictures, second, new Reporter(progress), cancellation);
        LatencyResult latency = result.Latency!;
        return (result, new ReportedSpeed(execution.DeviceName, latency.Rounds, latency.TeacherMilliseconds, latency.StudentMilliseconds, Interleaved: true));
    }

    /// <summary>One model after the other, so that no more memory is taken than the larger one needs. What the teacher made of each picture is kept.</summary>
    /// <param name="studentDecoder">Null when both encoders feed the same decoder.</param>
    public (EvaluationResult Result, ReportedSpeed Speed) Apart(
        string teacherPath, string studentPath, string? decoder, ImageSet pictures, int badPictures = 0, string? studentDecoder = null)
    {
        using var teacher = Teacher.Open(teacherPath, decoder, new TeacherSettings { Session = execution.FrugalSession, MaxCachedBytes = long.MaxValue });
        var usable = new List<string>();
        for (int i = 0; i < pictures.Paths.Count; i++)
        {
            try
            {
                using EncoderImage image = teacher.Images.Load(pictures.Paths[i], cancellation);
                teacher.Run(image, cancellation);
                usable.Add(pictures.Paths[i]);
            }
            catch (SamCompressException e) when (e.Kind == FailureKind.InputRejected && i - usable.Count < badPictures)
            {
                progress.Note($"skipped {e.Message}");
            }

            progress.Advance(i + 1, 2 * pictures.Paths.Count, "runs");
        }

        teacher.Encoder.Dispose();
        using var student = ImageEncoder.Open(studentPath, execution.FrugalSession);
        using MaskDecoder? second = studentDecoder is null ? null : MaskDecoder.Open(studentDecoder);
        EvaluationResult result = new Evaluator(teacher, LeastSettings).Evaluate(student, ImageSet.Of(usable), second, cancellationToken: cancellation);
        progress.Advance(1, 1, "runs");
        return (result, new ReportedSpeed(execution.DeviceName, pictures.Paths.Count, teacher.Encoder.LeastMilliseconds, student.LeastMilliseconds, Interleaved: false));
    }

    /// <summary>Two decoders behind the same encoder.</summary>
    public EvaluationResult Decoders(string encoderPath, string teacherPath, string studentPath, ImageSet pictures)
    {
        using var teacher = Teacher.Open(encoderPath, teacherPath, new TeacherSettings { Session = execution.Session });
        using var student = MaskDecoder.Open(studentPath);
        return new Evaluator(teacher, LeastSettings)
            .Evaluate(teacher.Encoder, pictures, student, new Reporter(progress), cancellation);
    }

    private sealed class Reporter(IJobProgress progress) : IProgress<EvaluationProgress>
    {
        private string _stage = "";

        public void Report(EvaluationProgress value)
        {
            if (value.Stage != _stage)
                progress.Stage(_stage = value.Stage);
            progress.Advance(value.Done, value.Total, "steps");
        }
    }
}
