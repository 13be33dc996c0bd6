using System.Globalization;

namespace SamCompress.Passes.Tests.Attention;

/// <summary>Small attentions in ONNX text: 4 tokens of 6 channels, 2 heads of 2 channels.</summary>
internal static class AttentionText
{
    /// <summary>Constants of <see cref="Fused"/> and <see cref="WithPosition"/>.</summary>
    private static string Constants =>
        $$"""
        <float[6,12] w = {{Numbers(72, 1)}}, float[12] b = {{Numbers(12, 2)}}, float[4,5] pw = {{Numbers(20, 3)}}, float[5] pb = {{Numbers(5, 4)}},
         float c = {0.7}, int64[5] split = {1, 4, 3, 2, 2}, int64[3] merge = {1, 4, 4}, int64[1] zero = {0}>
        """;

    /// <summary>One Linear for query, key and value, one behind the other, as SAM's encoder has it; the logits are scaled.</summary>
    public static string Fused { get; } =
        $$"""
        g (float[1,4,6] x) => (float[1,4,5] y)
        {{Constants}}
        {
            m = MatMul (x, w)
            a = Add (m, b)
            r = Reshape (a, split)
            t = Transpose <perm = [2, 0, 3, 1, 4]> (r)
            q5, k5, v5 = Split <axis = 0, num_outputs = 3> (t)
            q = Squeeze (q5, zero)
            k = Squeeze (k5, zero)
            v = Squeeze (v5, zero)
            kt = Transpose <perm = [0, 1, 3, 2]> (k)
            l = MatMul (q, kt)
            s = Mul (l, c)
            p = Softmax <axis = -1> (s)
            o = MatMul (p, v)
            ot = Transpose <perm = [0, 2, 1, 3]> (o)
            h = Reshape (ot, merge)
            pm = MatMul (h, pw)
            y = Add (pm, pb)
        }
        """;

    /// <summary>Per head query, key and value, as TinyViT has it, and a bias of the logits.</summary>
    public static string Interleaved { get; } = Fused
        .Replace("split = {1, 4, 3, 2, 2}", "split = {1, 4, 2, 6}", StringComparison.Ordinal)
        .Replace("int64[5] split", $"float[2,4,4] bias = {Numbers(32, 5)}, int64[4] split", StringComparison.Ordinal)
        .Replace("t = Transpose <perm = [2, 0, 3, 1, 4]> (r)", "t = Transpose <perm = [0, 2, 1, 3]> (r)", StringComparison.Ordinal)
        .Replace("q5, k5, v5 = Split <axis = 0, num_outputs = 3> (t)", "q, k, v = Split <axis = 3, num_outputs = 3> (t)", StringComparison.Ordinal)
        .Replace("    q = Squeeze (q5, zero)\n    k = Squeeze (k5, zero)\n    v = Squeeze (v5, zero)\n", "", StringComparison.Ordinal)
        .Replace("p = Softmax <axis = -1> (s)", "i = Add (s, bias)\n    p = Softmax <axis = -1> (i)", StringComparison.Ordinal);

    /// <summary>Two windows, batch and heads in one axis, the query scaled on its way to the product, and a relative position term that reads it before.</summary>
    public static string WithPosition { get; } = Fused
        .Replace("float[1,4,", "float[2,4,", StringComparison.Ordinal)
        .Replace("split = {1, 4, 3, 2, 2}, int64[3] merge = {1, 4, 4}", $"split = {{2, 4, 3, 2, 2}}, int64[4] join = {{3, 4, 4, 2}}, int64[4] part = {{2, 2, 4, 2}}, int64[3] merge = {{2, 4, 4}}, float[4,4,2] table = {Numbers(32, 5)}", StringComparison.Ordinal)
        .Replace("q5, k5, v5 = Split <axis = 0, num_outputs = 3> (t)", "j = Reshape (t, join)\n    q5, k5, v5 = Split <axis = 0, num_outputs = 3> (j)", StringComparison.Ordinal)
        .Replace("kt = Transpose <perm = [0, 1, 3, 2]> (k)", "kt = Transpose <perm = [0, 2, 1]> (k)\n    qs = Mul (q, c)", StringComparison.Ordinal)
        .Replace("l = MatMul (q, kt)\n    s = Mul (l, c)", "l = MatMul (qs, kt)\n    e = Einsum <equation = \"btc,tkc->btk\"> (q, table)\n    s = Add (l, e)", StringComparison.Ordinal)
        .Replace("ot = Transpose <perm = [0, 2, 1, 3]> (o)", "o4 = Reshape (o, part)\n    ot = Transpose <perm = [0, 2, 1, 3]> (o4)", StringComparison.Ordinal);

    /// <summary>As the mask decoder has it: a Linear each, keys from elsewhere, any number of tokens, logits divided.</summary>
    public static string Cross { get; } =
        $$"""
        g (float[1,N,6] x, float[1,7,6] z) => (float[1,N,5] y)
        <float[6,4] wq = {{Numbers(24, 1)}}, float[4] bq = {{Numbers(4, 2)}}, float[6,4] wk = {{Numbers(24, 3)}}, float[4] bk = {{Numbers(4, 4)}},
         float[6,4] wv = {{Numbers(24, 5)}}, float[4] bv = {{Numbers(4, 6)}}, float[4,5] pw = {{Numbers(20, 7)}}, float[5] pb = {{Numbers(5, 8)}},
         float c = {1.4}, int64[4] split = {0, 0, 2, 2}, int64[3] merge = {0, 0, 4}>
        {
            qm = MatMul (x, wq)
            qa = Add (qm, bq)
            qr = Reshape (qa, split)
            q = Transpose <perm = [0, 2, 1, 3]> (qr)
            km = MatMul (z, wk)
            ka = Add (km, bk)
            kr = Reshape (ka, split)
            kt = Transpose <perm = [0, 2, 3, 1]> (kr)
            vm = MatMul (z, wv)
            va = Add (vm, bv)
            vr = Reshape (va, split)
            v = Transpose <perm = [0, 2, 1, 3]> (vr)
            l = MatMul (q, kt)
            s = Div (l, c)
            p = Softmax <axis = -1> (s)
            o = MatMul (p, v)
            ot = Transpose <perm = [0, 2, 1, 3]> (o)
            h = Reshape (ot, merge)
            pm = MatMul (h, pw)
            y = Add (pm, pb)
        }
        """;

    /// <summary>The text with one line or name replaced, which must be there.</summary>
    public static string With(this string text, string old, string replacement)
    {
        Assert.Contains(old, text, StringComparison.Ordinal);
        return text.Replace(old, replacement, StringComparison.Ordinal);
    }

    private static string Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return $"{{{string.Join(", ", Enumerable.Range(0, count).Select(_ => ((random.NextDouble() * 2) - 1).ToString("F3", CultureInfo.InvariantCulture)))}}}";
    }
}
