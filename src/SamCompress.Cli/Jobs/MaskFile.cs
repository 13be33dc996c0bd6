using System.Text.Json.Serialization;
using SamCompress.Runtime.Segmentation;

namespace SamCompress.Cli.Jobs;

/// <summary>The content of masks.json: the form of the SA-1B data set, whose names are those of SAM's automatic mask generator.</summary>
internal sealed record MaskFile(int SchemaVersion, MaskFile.Picture Image, IReadOnlyList<MaskFile.Annotation> Annotations)
{
    public static MaskFile Of(string file, int width, int height, IReadOnlyList<FoundMask> masks, bool compressed) => new(
        1,
        new Picture(file, width, height),
        [.. masks.Select((mask, id) => new Annotation(
            id,
            Segmentation.Of(RunLengths.Of(mask.Mask), compressed),
            mask.Mask.Area,
            Corners(mask.Box),
            (float)mask.PredictedIou,
            (float)mask.Stability,
            [.. mask.Prompt.Points.Select(p => (double[])[p.X, p.Y])],
            [.. mask.Prompt.Points.Select(p => p.IsForeground ? 1 : 0)],
            mask.Prompt.Box is { } box ? [box.Left, box.Top, box.Right - box.Left, box.Bottom - box.Top] : null,
            Corners(mask.Crop)))]);

    private static int[] Corners(PixelBox box) => [box.Left, box.Top, box.Width, box.Height];

    internal sealed record Picture([property: JsonPropertyName("file_name")] string FileName, int Width, int Height);

    /// <param name="Bbox">Left, top, width, height.</param>
    /// <param name="BoxPrompt">The same, of the box that asked for the mask.</param>
    internal sealed record Annotation(
        int Id,
        Segmentation Segmentation,
        long Area,
        int[] Bbox,
        [property: JsonPropertyName("predicted_iou")] float PredictedIou,
        [property: JsonPropertyName("stability_score")] float StabilityScore,
        [property: JsonPropertyName("point_coords")] double[][] PointCoords,
        [property: JsonPropertyName("point_labels")] int[] PointLabels,
        [property: JsonPropertyName("box_prompt"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double[]? BoxPrompt,
        [property: JsonPropertyName("crop_box")] int[] CropBox);

    /// <param name="Size">Height, width.</param>
    /// <param name="Counts">A text or numbers.</param>
    internal sealed record Segmentation(int[] Size, object Counts)
    {
        public static Segmentation Of(RunLengths mask, bool compressed) => new([mask.Height, mask.Width], compressed ? mask.ToCocoText() : mask.Counts);
    }
}
