using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Cli.Jobs;

/// <summary>Judges the artifact against the model that it was made from.</summary>
internal sealed class ValidationStage(QuantizeOptions options, string? decoder, StageClock clock, IJobProgress progress, CancellationToken cancellation)
{
    /// <summary>Pictures to hold out for validation.</summary>
    public const int MostPictures = 8;

    /// <summary>A large model is slow: it is judged by fewer pictures.</summary>
    public const int PicturesOfLargeModel = 3;

    /// <param name="student">The artifact.</param>
    /// <param name="pictures">Null when the statistics came from a cache and no pictures were given: then the artifact is only run once.</param>
    /// <param name="calibratedOn">The set hash in the statistics.</param>
    public (ReportedQuality? Quality, ReportedSpeed? Speed, IReadOnlyList<PictureMasks> Worst) Run(string student, CalibrationPictures? pictures, string calibratedOn)
    {
        clock.Start("validate");
        if (pictures is null)
        {
            RunOnce(student);
            return (null, null, []);
        }

        (ImageSet set, bool isSmall, bool heldOut) = Choose(pictures, calibratedOn);
        var comparison = new Comparison(options.Execution, progress, cancellation);
        if (options.Encoder is { } encoder)
        {
            EvaluationResult masks = comparison.Decoders(encoder, options.Model, student, set);
            return (Report(masks, heldOut), null, masks.Worst);
        }

        (EvaluationResult result, ReportedSpeed speed) = isSmall
            ? comparison.Together(options.Teacher, student, decoder, set, options.Calibration.SkipBadImages)
            : comparison.Apart(options.Teacher, student, decoder, set, options.Calibration.SkipBadImages);
        return (Report(result, heldOut), speed, result.Worst);
    }

    /// <summary>Judges a quantized encoder and decoder together.</summary>
    public ReportedQuality RunBoth(string student, string studentDecoder, CalibrationPictures pictures, string calibratedOn)
    {
        clock.Start("validate both");
        (ImageSet set, _, bool heldOut) = Choose(pictures, calibratedOn);
        return Report(new Comparison(options.Execution, progress, cancellation).Apart(options.Teacher, student, decoder, set, options.Calibration.SkipBadImages, studentDecoder).Result, heldOut);
    }

    private (ImageSet Pictures, bool IsSmall, bool HeldOut) Choose(CalibrationPictures pictures, string calibratedOn)
    {
        bool isSmall = Comparison.IsSmall(options.Encoder ?? options.Model);
        bool heldOut = pictures.HeldOut.Count > 0 && pictures.SetHash == calibratedOn;
        IReadOnlyList<string> candidates = pictures.HeldOut.Count > 0 ? pictures.HeldOut : pictures.Calibration;
        int count = Math.Min(candidates.Count, isSmall ? MostPictures : PicturesOfLargeModel);
        return (ImageSet.Of(Enumerable.Range(0, count).Select(i => candidates[(int)((long)i * candidates.Count / count)])), isSmall, heldOut);
    }

    private ReportedQuality Report(EvaluationResult result, bool heldOut) => ReportedQuality.Of(result, heldOut, decoder);

    private void RunOnce(string student)
    {
        if (options.Encoder is not null)
        {
            MaskDecoder.Open(student, options.Execution.Session).Dispose();
            return;
        }

        using var encoder = ImageEncoder.Open(student, options.Execution.Session);
        int side = encoder.Preprocessing.Side;
        bool channelsFirst = encoder.Preprocessing.Layout == PixelLayout.ChannelsFirst;
        using RuntimeTensor input = RuntimeTensor.Of(new float[3 * side * side], channelsFirst ? [1, 3, side, side] : [1, side, side, 3]);
        encoder.Encode(input, [DecoderInterface.ImageEmbeddings], cancellation).Dispose();
    }
}
