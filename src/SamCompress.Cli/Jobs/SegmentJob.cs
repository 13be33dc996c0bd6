using System.Diagnostics;
using System.Globalization;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Segmentation;

namespace SamCompress.Cli.Jobs;

/// <summary>Segments a picture with one model, and with a second one to compare with.</summary>
public sealed class SegmentJob(SegmentOptions options, IJobProgress progress, CancellationToken cancellation)
{
    private readonly List<string> _remarks = [];

    private bool IsEverything => options.Prompts.Count == 0;

    public SegmentReport Run()
    {
        progress.Stage("read");
        string decoder = FindDecoder(options.Model, options.Decoder, "--decoder");
        string? referenceDecoder = options.Reference is null ? null : FindDecoder(options.Reference, options.ReferenceDecoder, "--reference-decoder");
        using SegmentOutput output = SegmentOutput.Begin(options, [.. new[] { options.Model, options.Picture, decoder, options.Reference, referenceDecoder }.OfType<string>()]);
        using var images = new ImageLoader(preprocessing: null);
        using DecodedImage image = images.Decode(options.Picture, cancellation);
        CheckPrompts(image);
        _remarks.AddRange(image.Remarks);
        (IReadOnlyList<FoundMask> masks, SegmentedBy model) = Segment(options.Model, decoder, image, "segment");
        (MaskComparison Masks, SegmentedBy Model)? comparison = null;
        if (options.Reference is not null)
        {
            (IReadOnlyList<FoundMask> teacher, SegmentedBy by) = Segment(options.Reference, referenceDecoder!, image, "segment with the reference");
            comparison = (IsEverything ? MaskComparison.ByLikeness(teacher, masks) : MaskComparison.InOrder(teacher, masks), by);
        }

        progress.Stage("write");
        IReadOnlyList<string> files = output.Write(image, masks, comparison?.Masks, cancellation);
        return new SegmentReport(
            1,
            options.Picture,
            image.Width,
            image.Height,
            model,
            [.. masks.Select(ReportedMask.Of)],
            comparison is { } c ? Report(c.Masks, c.Model) : null,
            [.. _remarks.Distinct()],
            files);
    }

    /// <exception cref="SamCompressException">The model is no image encoder, or there is no decoder for it.</exception>
    private string FindDecoder(string model, string? given, string option)
    {
        ModelSource.ReadEncoder(model, options.Execution.Reading).Dispose();
        return Comparison.FindDecoder(given, model)
            ?? throw new SamCompressException(FailureKind.Usage, "a mask decoder is needed, and there is none beside the model", $"name it with {option} FILE.") { Location = model };
    }

    private void CheckPrompts(DecodedImage image)
    {
        foreach (Prompt prompt in options.Prompts)
        {
            IEnumerable<(double X, double Y)> places = prompt.Points.Select(p => (p.X, p.Y));
            if (prompt.Box is { } box)
                places = [(box.Left, box.Top), (box.Right, box.Bottom)];
            foreach ((double x, double y) in places)
            {
                if (x < 0 || y < 0 || x > image.Width || y > image.Height)
                {
                    throw new SamCompressException(
                        FailureKind.Usage,
                        string.Create(CultureInfo.InvariantCulture, $"{x},{y} lies outside the picture, which has {image.Width} x {image.Height} pixels"),
                        "points and boxes are in the pixels of the upright picture, from its left upper corner.")
                    {
                        Location = options.Picture,
                    };
                }
            }
        }
    }

    private (IReadOnlyList<FoundMask> Masks, SegmentedBy By) Segment(string encoder, string decoder, DecodedImage image, string stage)
    {
        progress.Stage("load");
        using SegmentationModel model = SegmentationModel.Open(encoder, decoder, options.Execution.Session, IsEverything ? d => _remarks.Add($"{d.Message} ({d.Where})") : null);
        progress.Stage(stage);
        if (IsEverything)
        {
            EverythingResult result = new EverythingSegmenter(model, options.Everything).Segment(image, (done, total) => progress.Advance(done, total, "points"), cancellation);
            string mode = options.Everything.IsHierarchical ? "hierarchical" : "grid";
            return (result.Masks, new SegmentedBy(encoder, decoder, mode, result.Counts, result.Points, result.CoarsePoints, result.ConfidentShare, result.EncoderSeconds, result.DecoderSeconds, result.Seconds));
        }

        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<FoundMask> masks = model.Segment(image, options.Prompts, options.Everything.StabilityOffset, cancellation);
        return (masks, new SegmentedBy(encoder, decoder, "prompts", null, null, null, null, null, null, Stopwatch.GetElapsedTime(start).TotalSeconds));
    }

    private static ReportedComparison Report(MaskComparison comparison, SegmentedBy model) => new(
        model,
        comparison.Teacher.Count,
        comparison.Ious.Count > 0 ? comparison.Ious.Average() : null,
        comparison.Ious.Count > 0 ? comparison.Ious.Min() : null,
        comparison.ExtraMasks,
        comparison.Ious);
}
