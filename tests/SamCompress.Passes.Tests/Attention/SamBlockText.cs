using System.Globalization;

namespace SamCompress.Passes.Tests.Attention;

/// <summary>An attention of SAM in ONNX text as exporters write it: 2 heads of 2 channels, decomposed relative position, the query scaled on its way.</summary>
internal static class SamBlockText
{
    /// <summary>All tokens of a map attend to each other.</summary>
    public static string Global(int height, int width) => string.Create(CultureInfo.InvariantCulture, $$"""
        g (float[1,{{height}},{{width}},6] x) => (float[1,{{height}},{{width}},5] y)
        <{{Constants(height, width)}}, {{Shapes(1, height, width)}}>
        {
            m = MatMul (x, w)
        {{Attention}}
            pm = MatMul (h, pw)
            y = Add (pm, pb)
        }
        """);

    /// <summary>Tokens attend to those of their window; the map is padded to whole windows, and cropped behind.</summary>
    public static string Windowed(int height, int width, int side)
    {
        int rows = (height + side - 1) / side, columns = (width + side - 1) / side;
        return string.Create(CultureInfo.InvariantCulture, $$"""
            g (float[1,{{height}},{{width}},6] x) => (float[1,{{height}},{{width}},5] y)
            <{{Constants(side, side)}}, {{Shapes(rows * columns, side, side)}}, int64[8] pads = {0, 0, 0, 0, 0, {{(rows * side) - height}}, {{(columns * side) - width}}, 0},
             int64[6] cut = {1, {{rows}}, {{side}}, {{columns}}, {{side}}, 6}, int64[4] windows = {-1, {{side}}, {{side}}, 6}, int64[6] back = {1, {{rows}}, {{columns}}, {{side}}, {{side}}, -1},
             int64[4] whole = {1, {{rows * side}}, {{columns * side}}, -1}, int64[2] starts = {0, 0}, int64[2] ends = { {{height}}, {{width}}}, int64[2] axes = {1, 2}>
            {
                p = Pad (x, pads)
                p6 = Reshape (p, cut)
                pt = Transpose <perm = [0, 1, 3, 2, 4, 5]> (p6)
                p4 = Reshape (pt, windows)
                m = MatMul (p4, w)
            {{Attention}}
                pm = MatMul (h, pw)
                pa = Add (pm, pb)
                b6 = Reshape (pa, back)
                bt = Transpose <perm = [0, 1, 3, 2, 4, 5]> (b6)
                b4 = Reshape (bt, whole)
                y = Slice (b4, starts, ends, axes)
            }
            """);
    }

    private static string Constants(int height, int width) => string.Create(CultureInfo.InvariantCulture,
        $"float[6,12] w = {Numbers(72, 1)}, float[12] b = {Numbers(12, 2)}, float[4,5] pw = {Numbers(20, 3)}, float[5] pb = {Numbers(5, 4)}, float c = {{0.7}}, float[{height},{height},2] th = {Table(height, 5)}, float[{width},{width},2] tw = {Table(width, 6)}, int64[1] zero = {{0}}, int64[1] three = {{3}}, int64[1] four = {{4}}");

    private static string Shapes(int groups, int height, int width) => string.Create(CultureInfo.InvariantCulture,
        $"int64[5] split = {{{groups}, {height * width}, 3, 2, -1}}, int64[4] join = {{3, {2 * groups}, {height * width}, -1}}, int64[4] map = {{{2 * groups}, {height}, {width}, 2}}, int64[5] five = {{{2 * groups}, {height}, {width}, {height}, {width}}}, int64[3] flat = {{{2 * groups}, {height * width}, {height * width}}}, int64[5] part = {{{groups}, 2, {height}, {width}, -1}}, int64[4] merge = {{{groups}, {height}, {width}, -1}}");

    private static string Attention => """
            a = Add (b, m)
            r = Reshape (a, split)
            t = Transpose <perm = [2, 0, 3, 1, 4]> (r)
            j = Reshape (t, join)
            q5, k5, v5 = Split <axis = 0, num_outputs = 3> (j)
            q = Squeeze (q5, zero)
            k = Squeeze (k5, zero)
            v = Squeeze (v5, zero)
            qs = Mul (q, c)
            kt = Transpose <perm = [0, 2, 1]> (k)
            l = MatMul (qs, kt)
            q4 = Reshape (q5, map)
            eh = Einsum <equation = "bhwc,hkc->bhwk"> (q4, th)
            ew = Einsum <equation = "bhwc,wkc->bhwk"> (q4, tw)
            l5 = Reshape (l, five)
            uh = Unsqueeze (eh, four)
            s1 = Add (l5, uh)
            uw = Unsqueeze (ew, three)
            s2 = Add (s1, uw)
            s = Reshape (s2, flat)
            probs = Softmax <axis = -1> (s)
            o = MatMul (probs, v)
            o5 = Reshape (o, part)
            ot = Transpose <perm = [0, 2, 3, 1, 4]> (o5)
            h = Reshape (ot, merge)
        """;

    /// <summary>Relative positions: the entry for rows i and j depends on i - j alone.</summary>
    private static string Table(int side, int seed)
    {
        string[] offsets = Random(((2 * side) - 1) * 2, seed);
        return $"{{{string.Join(", ", Enumerable.Range(0, side * side * 2).Select(i => offsets[(((i / 2 / side) - (i / 2 % side) + side - 1) * 2) + (i % 2)]))}}}";
    }

    private static string Numbers(int count, int seed) => $"{{{string.Join(", ", Random(count, seed))}}}";

    private static string[] Random(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => ((random.NextDouble() * 2) - 1).ToString("F3", CultureInfo.InvariantCulture))];
    }
}
