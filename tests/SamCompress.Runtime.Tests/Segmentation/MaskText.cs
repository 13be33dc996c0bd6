using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Tests.Segmentation;

/// <summary>Masks as rows of # and . with / between them.</summary>
internal static class MaskText
{
    public static BinaryMask Mask(string text)
    {
        string[] rows = text.Split('/');
        return BinaryMask.Where(rows[0].Length, rows.Length, (x, y) => rows[y][x] == '#');
    }

    public static string Text(BinaryMask mask) => string.Join('/', Enumerable.Range(0, mask.Height).Select(y =>
        string.Concat(Enumerable.Range(0, mask.Width).Select(x => mask[x, y] ? '#' : '.'))));
}
