using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Evaluation;

/// <summary>The masks of teacher and student on one picture, and where they differ; three pictures of one size.</summary>
/// <param name="Difference">The picture in grey, with the pixels that a mask of only one of the two has in <see cref="Lost"/> or <see cref="Gained"/>.</param>
public sealed record ComparisonOverlay(Raster Teacher, Raster Student, Raster Difference)
{
    /// <summary>More would hide each other. Those that agree least are shown.</summary>
    private const int MostMasks = 8;

    /// <summary>A grid of points finds the same object several times; as <see cref="TeacherPrompts.SameMaskIou"/>.</summary>
    private const double SameMaskIou = 0.8;

    private const float Strength = 0.85f;
    private const float Paleness = 0.35f;

    /// <summary>The colour of pixels that only the teacher's mask has: the student lost them.</summary>
    public static (byte R, byte G, byte B) Lost { get; } = (232, 119, 34);

    /// <summary>The colour of pixels that only the student's mask has.</summary>
    public static (byte R, byte G, byte B) Gained { get; } = (42, 111, 219);

    /// <param name="picture">Of any size; the masks are brought to it.</param>
    public static ComparisonOverlay Draw(Raster picture, IReadOnlyList<MaskPair> masks)
    {
        ArgumentNullException.ThrowIfNull(picture);
        (BinaryMask Teacher, BinaryMask Student)[] shown =
            [.. Distinct(masks).OrderByDescending(m => m.Teacher.Area).Select(m => (m.Teacher.Resize(picture.Width, picture.Height), m.Student.Resize(picture.Width, picture.Height)))];
        Raster teacher = Copy(picture), student = Copy(picture), difference = picture.ToGrey();
        MaskOverlay.Draw(teacher, [.. shown.Select(m => m.Teacher)]);
        MaskOverlay.Draw(student, [.. shown.Select(m => m.Student)]);
        for (int y = 0; y < picture.Height; y++)
        {
            for (int x = 0; x < picture.Width; x++)
            {
                difference.Blend(x, y, (255, 255, 255), Paleness);
                if (shown.Any(m => m.Teacher[x, y] && !m.Student[x, y]))
                    difference.Blend(x, y, Lost, Strength);
                else if (shown.Any(m => m.Student[x, y] && !m.Teacher[x, y]))
                    difference.Blend(x, y, Gained, Strength);
            }
        }

        return new ComparisonOverlay(teacher, student, difference);
    }

    /// <summary>Of masks that the teacher gave several times the one that the student met least.</summary>
    private static List<MaskPair> Distinct(IReadOnlyList<MaskPair> masks)
    {
        var shown = new List<MaskPair>();
        foreach (MaskPair pair in masks.Where(m => m.Teacher.Area + m.Student.Area > 0).OrderBy(m => m.Iou))
        {
            if (shown.Count < MostMasks && shown.TrueForAll(s => BinaryMask.Iou(s.Teacher, pair.Teacher) < SameMaskIou))
                shown.Add(pair);
        }

        return shown;
    }

    private static Raster Copy(Raster picture) => new(picture.Width, picture.Height, [.. picture.Pixels]);
}
