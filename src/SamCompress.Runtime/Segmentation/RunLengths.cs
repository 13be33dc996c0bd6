using System.Text;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Segmentation;

/// <summary>A mask in COCO's run-length encoding: column by column from the left, the lengths of runs of no and yes in turns, beginning with no.</summary>
/// <param name="Counts">The first is 0 when the first pixel belongs to the mask.</param>
public sealed record RunLengths(int Width, int Height, IReadOnlyList<int> Counts)
{
    public static RunLengths Of(BinaryMask mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        var counts = new List<int>();
        bool isInside = false;
        int length = 0;
        for (int x = 0; x < mask.Width; x++)
        {
            for (int y = 0; y < mask.Height; y++)
            {
                if (mask[x, y] != isInside)
                {
                    counts.Add(length);
                    (length, isInside) = (0, !isInside);
                }

                length++;
            }
        }

        counts.Add(length);
        return new RunLengths(mask.Width, mask.Height, counts);
    }

    /// <summary>
    /// The compressed form of COCO's mask API (<c>rleToString</c> in maskApi.c): each count from the fourth on as the difference to the one two places before, in groups of
    /// 5 bits, the lowest first, each a character from '0' on; bit 6 says that more follow, and the sign is that of the last group's highest bit.
    /// </summary>
    public string ToCocoText()
    {
        var text = new StringBuilder();
        for (int i = 0; i < Counts.Count; i++)
        {
            int rest = i > 2 ? Counts[i] - Counts[i - 2] : Counts[i];
            bool hasMore;
            do
            {
                int group = rest & 0x1F;
                rest >>= 5;
                hasMore = (group & 0x10) != 0 ? rest != -1 : rest != 0;
                text.Append((char)('0' + (hasMore ? group | 0x20 : group)));
            }
            while (hasMore);
        }

        return text.ToString();
    }
}
