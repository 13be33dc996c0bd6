using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Cli.Jobs;

/// <summary>What came of a plan.</summary>
internal sealed record PlanVerdict(double? MeanIou, double? EmbeddingSqnr, int Masks);

/// <summary>Judges quantization plans of one model by the masks that come of them, in memory: no artifact is written.</summary>
internal sealed class PlanJudge : IDisposable
{
    private const int TimedRounds = 6;

    private readonly Teacher _teacher;
    private readonly bool _isOfDecoder;
    private readonly Func<QuantizationPlan, Model> _make;
    private readonly ExecutionRequest _execution;
    private readonly ImageSet _pictures;

    private PlanJudge(Teacher teacher, bool isOfDecoder, Func<QuantizationPlan, Model> make, ExecutionRequest execution, ImageSet pictures)
    {
        _teacher = teacher;
        _isOfDecoder = isOfDecoder;
        _make = make;
        _execution = execution;
        _pictures = pictures;
    }

    public int Pictures => _pictures.Paths.Count;

    /// <summary>Runs the float models once on every picture.</summary>
    /// <param name="isOfDecoder">Whether plans are of the decoder; else they are of the encoder.</param>
    /// <param name="make">Makes the quantized model of a plan.</param>
    /// <param name="badPictures">How many pictures that cannot be read are left out before it is an error.</param>
    public static PlanJudge Open(
        string encoder,
        string? decoder,
        bool isOfDecoder,
        Func<QuantizationPlan, Model> make,
        IReadOnlyList<string> pictures,
        ExecutionRequest execution,
        int badPictures,
        IJobProgress progress,
        CancellationToken cancellation)
    {
        (Teacher teacher, ImageSet usable) = TeacherAnswers.Open(encoder, decoder, pictures, execution, badPictures, keepsEncoder: isOfDecoder, progress, onPicture: null, cancellation);
        return new PlanJudge(teacher, isOfDecoder, make, execution, usable);
    }

    /// <summary>A function that applies plans to copies of a prepared model.</summary>
    public static Func<QuantizationPlan, Model> Copies(Model prepared, CancellationToken cancellation) => plan =>
    {
        Model copy = ModelCopy.Of(prepared);
        new QuantizePass(plan).Apply(copy, new PassContext { Cancellation = cancellation });
        return copy;
    };

    public PlanVerdict Judge(QuantizationPlan plan, CancellationToken cancellation)
    {
        using Model model = _make(plan);
        var evaluator = new Evaluator(_teacher, new EvaluationSettings { LatencyRounds = 0 });
        if (_isOfDecoder)
        {
            using var decoder = MaskDecoder.Open(model);
            return Verdict(evaluator.Evaluate(_teacher.Encoder, _pictures, decoder, cancellationToken: cancellation));
        }

        using var encoder = ImageEncoder.Open(model, _execution.FrugalSession);
        return Verdict(evaluator.Evaluate(encoder, _pictures, cancellationToken: cancellation));
    }

    /// <summary>The least time of a run of the encoders of two plans, in turns; null for decoders, of which a run takes next to nothing.</summary>
    public (double First, double Second)? Time(QuantizationPlan first, QuantizationPlan second, CancellationToken cancellation)
    {
        if (_isOfDecoder)
            return null;
        using Model firstModel = _make(first), secondModel = _make(second);
        using ImageEncoder firstEncoder = ImageEncoder.Open(firstModel, _execution.FrugalSession), secondEncoder = ImageEncoder.Open(secondModel, _execution.FrugalSession);
        using EncoderImage image = _teacher.Images.Load(_pictures.Paths[0], cancellation);
        for (int i = 0; i < TimedRounds; i++)
        {
            firstEncoder.Encode(image.Input, _teacher.EncoderOutputs, cancellation).Dispose();
            secondEncoder.Encode(image.Input, _teacher.EncoderOutputs, cancellation).Dispose();
        }

        return (firstEncoder.LeastMilliseconds, secondEncoder.LeastMilliseconds);
    }

    public void Dispose() => _teacher.Dispose();

    private static PlanVerdict Verdict(EvaluationResult result) => new(result.Masks?.MeanIou, result.EmbeddingSqnr, result.Masks?.Prompts ?? 0);
}
