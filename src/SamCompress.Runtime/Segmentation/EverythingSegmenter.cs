using System.Diagnostics;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Segmentation;

/// <summary>How many of the decoder's proposals came how far.</summary>
/// <param name="Proposals">Three for each point, for most decoders.</param>
/// <param name="Likely">With enough predicted IoU.</param>
/// <param name="Stable">Of these, with enough stability.</param>
/// <param name="BestPredictedIou">Of all.</param>
/// <param name="BestStability">Of the likely ones; 0 without one.</param>
public sealed record ProposalCounts(int Proposals, int Likely, int Stable, double BestPredictedIou, double BestStability);

/// <summary>Everything in a picture, and what it took.</summary>
/// <param name="Masks">By falling predicted IoU.</param>
/// <param name="Points">How many points were decoded, in all rounds and crops.</param>
/// <param name="CoarsePoints">How many of them in the first of two rounds; null for one round.</param>
/// <param name="ConfidentShare">The part of the picture in which the first round was confident; null for one round.</param>
/// <param name="EncoderSeconds">With the preprocessing.</param>
/// <param name="Seconds">In all.</param>
public sealed record EverythingResult(
    IReadOnlyList<FoundMask> Masks, ProposalCounts Counts, int Points, int? CoarsePoints, double? ConfidentShare, double EncoderSeconds, double DecoderSeconds, double Seconds);

/// <summary>
/// Segments everything in a picture: SAM's automatic mask generator (automatic_mask_generator.py), and TinySAM's hierarchical one, which asks first with a coarse
/// grid and then only where no confident mask is. See docs/segment.md.
/// </summary>
public sealed class EverythingSegmenter(SegmentationModel model, EverythingOptions options)
{
    /// <param name="progress">Points done, of how many in this round.</param>
    /// <exception cref="SamCompressException">A model failed.</exception>
    public EverythingResult Segment(DecodedImage image, Action<int, int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        var run = new Run(model, options, image, progress, cancellationToken);
        List<Candidate> candidates = options.IsHierarchical ? run.TwoRounds() : run.AllCrops();
        List<FoundMask> masks = [.. candidates.Select(c => c.Place(image.Width, image.Height))];
        if (options.MinRegionArea > 0)
            masks = Clean(masks);
        return run.Result(masks);
    }

    /// <summary>Takes small regions out, and suppresses again; masks that stayed as they were come first.</summary>
    private List<FoundMask> Clean(List<FoundMask> masks)
    {
        List<FoundMask> cleaned = [.. masks.Select(found =>
        {
            BinaryMask mask = SmallRegions.Remove(found.Mask, options.MinRegionArea);
            return mask == found.Mask ? found : found with { Mask = mask, Box = FoundMask.BoxOf(mask) };
        })];
        double[] scores = [.. cleaned.Zip(masks, (a, b) => a == b ? 1.0 : 0.0)];
        IReadOnlyList<int> kept = PixelBox.Suppress([.. cleaned.Select(m => m.Box)], scores, Math.Max(options.BoxNmsIou, options.CropNmsIou));
        return [.. kept.Order().Select(i => cleaned[i])];
    }

    /// <summary>What is known while one picture is segmented.</summary>
    private sealed class Run(SegmentationModel model, EverythingOptions options, DecodedImage image, Action<int, int>? progress, CancellationToken cancellation)
    {
        private readonly long _start = Stopwatch.GetTimestamp();
        private TimeSpan _encoding;
        private TimeSpan _decoding;
        private int _points;
        private int? _coarse;
        private BinaryMask? _confident;
        private ProposalCounts _counts = new(0, 0, 0, 0, 0);

        private PixelBox Whole => new(0, 0, image.Width, image.Height);

        /// <summary>One suppression over the masks of both rounds, those of the second round first, as in TinySAM.</summary>
        public List<Candidate> TwoRounds()
        {
            using RuntimeTensors embeddings = Embed(image.Pixels);
            IReadOnlyList<Prompt> coarse = HierarchicalPoints.Coarse(options.PointsPerSide, image.Width, image.Height);
            List<Candidate> first = Decode(embeddings, coarse, Whole, isFirstOfTwo: true);
            _coarse = coarse.Count;
            IReadOnlyList<Prompt> fine = HierarchicalPoints.Fine(options.PointsPerSide, image.Width, image.Height, (x, y) => _confident?[x, y] ?? false);
            return Suppress([.. Decode(embeddings, fine, Whole, isFirstOfTwo: false), .. first]);
        }

        public List<Candidate> AllCrops()
        {
            var found = new List<Candidate>();
            IReadOnlyList<(PixelBox Box, int Layer)> crops = CropBoxes.Of(image.Width, image.Height, options.CropLayers, options.CropOverlap);
            foreach ((PixelBox crop, int layer) in crops)
            {
                using RuntimeTensor? pixels = layer == 0 ? null : Cut(crop);
                using RuntimeTensors embeddings = Embed(pixels ?? image.Pixels);
                int side = Math.Max(1, (int)(options.PointsPerSide / Math.Pow(options.CropDownscale, layer)));
                found.AddRange(Suppress(Decode(embeddings, Prompt.Grid(side, crop.Width, crop.Height), crop, isFirstOfTwo: false)));
            }

            if (crops.Count == 1)
                return found;
            IReadOnlyList<int> kept = PixelBox.Suppress([.. found.Select(c => c.Box)], [.. found.Select(c => 1.0 / c.Crop.Area)], options.CropNmsIou);
            return [.. kept.Select(i => found[i]).OrderByDescending(c => c.PredictedIou)];
        }

        public EverythingResult Result(List<FoundMask> masks) => new(
            masks,
            _counts,
            _points,
            _coarse,
            _coarse is null ? null : (_confident?.Area ?? 0) / ((double)image.Width * image.Height),
            _encoding.TotalSeconds,
            _decoding.TotalSeconds,
            Stopwatch.GetElapsedTime(_start).TotalSeconds);

        private RuntimeTensors Embed(RuntimeTensor pixels)
        {
            long start = Stopwatch.GetTimestamp();
            RuntimeTensors embeddings = model.Embed(pixels, cancellation);
            _encoding += Stopwatch.GetElapsedTime(start);
            return embeddings;
        }

        /// <param name="points">In the pixels of the crop.</param>
        private List<Candidate> Decode(RuntimeTensors embeddings, IReadOnlyList<Prompt> points, PixelBox crop, bool isFirstOfTwo)
        {
            var found = new List<Candidate>();
            int done = 0;
            foreach (Prompt[] batch in points.Chunk(options.PointsPerBatch))
            {
                long start = Stopwatch.GetTimestamp();
                MaskLogits logits = model.Decoder.Logits(embeddings, crop.Width, crop.Height, batch, cancellation);
                _decoding += Stopwatch.GetElapsedTime(start);
                var scaling = MaskScaling.For(logits, model.Decoder.Interface.Frame, crop.Width, crop.Height);
                for (int i = 0; i < batch.Length * logits.Count; i++)
                {
                    bool isProposal = i % logits.Count >= SegmentationModel.FirstProposal(logits.Count);
                    if (isProposal && Judge(logits, i, scaling, batch[i / logits.Count], crop, isFirstOfTwo) is { } candidate)
                        found.Add(candidate);
                }

                progress?.Invoke(done += batch.Length, points.Count);
            }

            _points += points.Count;
            return found;
        }

        /// <summary>The filters, the cheapest first.</summary>
        private Candidate? Judge(MaskLogits logits, int index, MaskScaling scaling, Prompt prompt, PixelBox crop, bool isFirstOfTwo)
        {
            double iou = logits.IouPredictions[index];
            _counts = _counts with { Proposals = _counts.Proposals + 1, BestPredictedIou = Math.Max(_counts.BestPredictedIou, iou) };
            if (!(iou > options.MinPredictedIou))
                return null;
            ScaledMask scaled = scaling.Scale(logits.Of(index), (float)options.StabilityOffset, isFirstOfTwo ? (float)options.ConfidentLogit : null);
            _counts = _counts with { Likely = _counts.Likely + 1, BestStability = Math.Max(_counts.BestStability, scaled.Stability) };
            if (!(scaled.Stability >= options.MinStability))
                return null;
            _counts = _counts with { Stable = _counts.Stable + 1 };
            if (isFirstOfTwo)
                _confident = _confident is null ? scaled.Confident! : BinaryMask.Union(_confident, scaled.Confident!);
            PixelBox box = FoundMask.BoxOf(scaled.Mask), placed = box.Shift(crop.Left, crop.Top);
            if (CropBoxes.IsCutOff(placed, crop, image.Width, image.Height))
                return null;
            PromptPoint point = prompt.Points[0];
            return new Candidate(
                BinaryMask.Where(box.Width + 1, box.Height + 1, (x, y) => scaled.Mask[x + box.Left, y + box.Top]),
                placed,
                iou,
                scaled.Stability,
                Prompt.At(point.X + crop.Left, point.Y + crop.Top),
                crop);
        }

        private List<Candidate> Suppress(List<Candidate> candidates) =>
            [.. PixelBox.Suppress([.. candidates.Select(c => c.Box)], [.. candidates.Select(c => c.PredictedIou)], options.BoxNmsIou).Select(i => candidates[i])];

        /// <summary>The pixels of a crop, uint8 [1,3,height,width].</summary>
        private RuntimeTensor Cut(PixelBox crop)
        {
            Span<byte> pixels = image.Pixels.As<byte>();
            var cut = new byte[Raster.Channels * crop.Area];
            for (int line = 0; line < Raster.Channels * crop.Height; line++)
            {
                (int channel, int y) = Math.DivRem(line, crop.Height);
                pixels.Slice((((channel * image.Height) + crop.Top + y) * image.Width) + crop.Left, crop.Width).CopyTo(cut.AsSpan(line * crop.Width));
            }

            return RuntimeTensor.Of(cut, 1, Raster.Channels, crop.Height, crop.Width);
        }
    }
}
