namespace SamCompress.Runtime.Tests.Images;

/// <summary>
/// The bilinear resize of Pillow for 8-bit channels, from its description: a triangle filter as wide as the reduction, weights
/// in fixed point of 22 bits, first along the rows, then along the columns, rounded to 8 bits after each.
/// </summary>
internal static class PillowResize
{
    private const int PrecisionBits = 22;

    public static byte[] Bilinear(byte[] plane, int width, int height, int newWidth, int newHeight)
    {
        byte[] rows = width == newWidth ? plane : Along(plane, width, newWidth, height, (line, i) => (line * width) + i, (line, i) => (line * newWidth) + i);
        return height == newHeight ? rows : Along(rows, height, newHeight, newWidth, (line, i) => (i * newWidth) + line, (line, i) => (i * newWidth) + line);
    }

    private static byte[] Along(byte[] source, int size, int newSize, int lines, Func<int, int, int> from, Func<int, int, int> to)
    {
        var result = new byte[newSize * lines];
        double scale = (double)size / newSize;
        double support = Math.Max(scale, 1);
        for (int i = 0; i < newSize; i++)
        {
            double centre = (i + 0.5) * scale;
            int first = Math.Max((int)(centre - support + 0.5), 0);
            int end = Math.Min((int)(centre + support + 0.5), size);
            double[] weights = [.. Enumerable.Range(first, end - first).Select(x => Math.Max(0, 1 - (Math.Abs(x - centre + 0.5) / support)))];
            double sum = weights.Sum();
            int[] fixedPoint = [.. weights.Select(w => (int)((w / sum * (1 << PrecisionBits)) + 0.5))];
            for (int line = 0; line < lines; line++)
            {
                int value = 1 << (PrecisionBits - 1);
                for (int k = 0; k < fixedPoint.Length; k++)
                    value += source[from(line, first + k)] * fixedPoint[k];
                result[to(line, i)] = (byte)Math.Clamp(value >> PrecisionBits, 0, 255);
            }
        }

        return result;
    }
}
