using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Segmentation;

/// <summary>How the masks of two models in one picture compare.</summary>
/// <param name="Teacher">The masks of the reference.</param>
/// <param name="Partners">For each of them the place of the student's mask that is compared with it, or -1.</param>
/// <param name="Ious">The IoU with it; 0 without.</param>
public sealed record MaskComparison(IReadOnlyList<FoundMask> Teacher, IReadOnlyList<FoundMask> Student, IReadOnlyList<int> Partners, IReadOnlyList<double> Ious)
{
    /// <summary>Pixels between two panels.</summary>
    private const int Gap = 4;

    private const float Tint = 0.7f;

    /// <summary>Only the teacher's mask has the pixel.</summary>
    private static readonly (byte, byte, byte) Missing = (230, 40, 40);

    /// <summary>Only the student's mask has the pixel.</summary>
    private static readonly (byte, byte, byte) Extra = (40, 90, 240);

    /// <summary>How many of the student's masks are compared with none.</summary>
    public int ExtraMasks => Student.Count - Partners.Where(p => p >= 0).Distinct().Count();

    /// <summary>Masks that answer the same prompts, in the same order.</summary>
    public static MaskComparison InOrder(IReadOnlyList<FoundMask> teacher, IReadOnlyList<FoundMask> student)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        return new MaskComparison(teacher, student, [.. Enumerable.Range(0, teacher.Count)], [.. teacher.Zip(student, (a, b) => BinaryMask.Iou(a.Mask, b.Mask))]);
    }

    /// <summary>For each of the teacher's masks the one of the student's that is most like it; several may have the same one.</summary>
    public static MaskComparison ByLikeness(IReadOnlyList<FoundMask> teacher, IReadOnlyList<FoundMask> student)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        var partners = new int[teacher.Count];
        var ious = new double[teacher.Count];
        for (int i = 0; i < partners.Length; i++)
        {
            partners[i] = -1;
            for (int k = 0; k < student.Count; k++)
            {
                double iou = BinaryMask.Iou(teacher[i].Mask, student[k].Mask);
                if (iou > ious[i])
                    (partners[i], ious[i]) = (k, iou);
            }
        }

        return new MaskComparison(teacher, student, partners, ious);
    }

    /// <summary>
    /// Three panels: the teacher's masks, the student's in the colours of those they are compared with, and on grey what differs: red where only the teacher's mask is, blue where only the student's is.
    /// </summary>
    public Raster Draw(DecodedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        Raster teacher = Raster.Of(image), student = Raster.Of(image), difference = Raster.Of(image).ToGrey();
        FoundMasks.Draw(teacher, Teacher, i => i);
        int[] partners = [.. Partners];
        FoundMasks.Draw(student, Student, k => Array.IndexOf(partners, k) is >= 0 and var i ? i : Teacher.Count + k);
        for (int i = 0; i < Teacher.Count; i++)
        {
            BinaryMask? partner = Partners[i] < 0 ? null : Student[Partners[i]].Mask;
            Mark(difference, Teacher[i].Mask, partner, Missing);
            if (partner is not null)
                Mark(difference, partner, Teacher[i].Mask, Extra);
        }

        for (int k = 0; k < Student.Count; k++)
        {
            if (!Partners.Contains(k))
                Mark(difference, Student[k].Mask, null, Extra);
        }

        return Raster.SideBySide([teacher, student, difference], Gap);
    }

    /// <summary>Colours the pixels of one mask that another one does not have.</summary>
    private static void Mark(Raster raster, BinaryMask mask, BinaryMask? without, (byte, byte, byte) colour)
    {
        for (int y = 0; y < mask.Height; y++)
        {
            for (int x = 0; x < mask.Width; x++)
            {
                if (mask[x, y] && !(without?[x, y] ?? false))
                    raster.Blend(x, y, colour, Tint);
            }
        }
    }
}
