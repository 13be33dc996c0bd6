using System.Numerics;
using System.Runtime.Intrinsics;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Segmentation;

/// <summary>A mask of the picture's size.</summary>
/// <param name="Mask">Where the logit is above 0.</param>
/// <param name="Stability">SAM's stability score: the area where the logit is above the offset over that where it is above minus the offset; 0 when there is none.</param>
/// <param name="Confident">Where the logit is above the level that was asked for; null when none was.</param>
public sealed record ScaledMask(BinaryMask Mask, double Stability, BinaryMask? Confident);

/// <summary>
/// Makes masks of the picture's size of a decoder's logits, as SAM's post-processing does: bilinear to the frame, the part that shows the picture, bilinear to the picture.
/// Both steps are linear and treat rows and columns apart, so they are one sparse matrix for each axis, and the plane of the frame is never made.
/// </summary>
public sealed class MaskScaling
{
    private readonly AxisWeights _columns;
    private readonly AxisWeights _rows;
    private readonly int _stride;

    private MaskScaling(AxisWeights columns, AxisWeights rows, int stride)
    {
        _columns = columns;
        _rows = rows;
        _stride = stride;
    }

    /// <param name="frame">The side of the square in which prompts are given: see <see cref="DecoderInterface.Frame"/>.</param>
    /// <param name="width">Of the picture.</param>
    public static MaskScaling For(MaskLogits logits, int frame, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(logits);
        if (logits.IsOfPictureSize)
            return new MaskScaling(AxisWeights.Identity(width), AxisWeights.Identity(height), logits.Width);
        (int shownWidth, int shownHeight) = new Preprocessing(frame, PixelLayout.ChannelsFirst).Resized(width, height);
        return new MaskScaling(
            AxisWeights.Twice(logits.Width, frame, shownWidth, width), AxisWeights.Twice(logits.Height, frame, shownHeight, height), logits.Width);
    }

    /// <param name="logits">One mask, row by row.</param>
    /// <param name="offset">Of the stability score.</param>
    /// <param name="confident">A logit, or null.</param>
    public ScaledMask Scale(ReadOnlySpan<float> logits, float offset, float? confident)
    {
        float[] stretched = Stretch(logits);
        int width = _columns.Length, height = _rows.Length;
        BitPlane mask = new(width, height), sure = new(confident is null ? 0 : width, height);
        long inner = 0, outer = 0;
        var row = new float[width];
        for (int y = 0; y < height; y++)
        {
            Mix(stretched, y, row);
            int x = 0;
            for (; x + Vector256<float>.Count <= width; x += Vector256<float>.Count)
            {
                Vector256<float> v = Vector256.LoadUnsafe(ref row[x]);
                mask.Append(Above(v, 0), Vector256<float>.Count);
                inner += BitOperations.PopCount(Above(v, offset));
                outer += BitOperations.PopCount(Above(v, -offset));
                if (confident is { } level)
                    sure.Append(Above(v, level), Vector256<float>.Count);
            }

            for (; x < width; x++)
            {
                mask.Append(row[x] > 0 ? 1u : 0, 1);
                inner += row[x] > offset ? 1 : 0;
                outer += row[x] > -offset ? 1 : 0;
                if (confident is { } level)
                    sure.Append(row[x] > level ? 1u : 0, 1);
            }
        }

        return new ScaledMask(mask.ToMask(), outer == 0 ? 0 : (double)inner / outer, confident is null ? null : sure.ToMask());
    }

    private static uint Above(Vector256<float> v, float level) => Vector256.GreaterThan(v, Vector256.Create(level)).ExtractMostSignificantBits();

    /// <summary>All rows of the logits, as wide as the picture.</summary>
    private float[] Stretch(ReadOnlySpan<float> logits)
    {
        int width = _columns.Length, height = logits.Length / _stride, taps = _columns.Taps;
        var result = new float[width * height];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<float> from = logits.Slice(y * _stride, _stride);
            Span<float> to = result.AsSpan(y * width, width);
            for (int x = 0; x < to.Length; x++)
            {
                ReadOnlySpan<float> weights = _columns.Of(x), source = from.Slice(_columns.Starts[x], taps);
                float sum = 0;
                for (int k = 0; k < weights.Length; k++)
                    sum += weights[k] * source[k];
                to[x] = sum;
            }
        }

        return result;
    }

    /// <summary>One row of the picture.</summary>
    private void Mix(float[] stretched, int y, float[] row)
    {
        int width = row.Length;
        ReadOnlySpan<float> weights = _rows.Of(y);
        Array.Clear(row);
        for (int k = 0; k < weights.Length; k++)
        {
            if (weights[k] == 0)
                continue;
            ReadOnlySpan<float> from = stretched.AsSpan((_rows.Starts[y] + k) * width, width);
            var weight = new Vector<float>(weights[k]);
            int x = 0;
            for (; x + Vector<float>.Count <= width; x += Vector<float>.Count)
                (new Vector<float>(row, x) + (weight * new Vector<float>(from[x..]))).CopyTo(row, x);
            for (; x < width; x++)
                row[x] += weights[k] * from[x];
        }
    }

    /// <summary>The bits of a mask, written one after another.</summary>
    private sealed class BitPlane(int width, int height)
    {
        private readonly ulong[] _words = new ulong[BinaryMask.WordCount(width, height)];
        private long _place;

        public void Append(uint bits, int count)
        {
            int word = (int)(_place >> 6), shift = (int)(_place & 63);
            _words[word] |= (ulong)bits << shift;
            if (shift + count > 64)
                _words[word + 1] |= (ulong)bits >> (64 - shift);
            _place += count;
        }

        public BinaryMask ToMask() => new(width, height, _words);
    }
}
