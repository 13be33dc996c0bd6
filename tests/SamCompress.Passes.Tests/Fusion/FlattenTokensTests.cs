using System.Globalization;
using System.Text.RegularExpressions;
using SamCompress.Passes.Fusion;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Fusion;

public sealed class FlattenTokensTests
{
    private static readonly string[] Constants =
    [
        $"float[6] g = {Numbers(6)}", $"float[6] b = {Numbers(6)}", $"float[6,8] w1 = {Numbers(48)}", $"float[8] b1 = {Numbers(8)}", $"float[8,6] w2 = {Numbers(48)}",
        $"float[6] b2 = {Numbers(6)}", $"float[6,6] v = {Numbers(36)}", $"float[6,18] qkv = {Numbers(108)}", $"float[18] bqkv = {Numbers(18)}",
        $"float[1,4,4,6] table = {Numbers(96)}", $"float[4,6] rows = {Numbers(24)}", $"float[4,1] pixel = {Numbers(4)}", $"float[1,1,1,6] column = {Numbers(6)}",
        "float[1,1,1,1] one = {0.5}", $"float[4,6,6] batch = {Numbers(144)}", "float[1,1,1,1,1] wide = {2}", "int64[1] first = {0}", "int64[1] second = {1}",
        "int64[3] tokens = {1, 16, 6}", "int64[2] matrix = {16, 6}", "int64[4] picture = {1, 4, 4, 6}", "int64[8] pads = {0, 0, 0, 0, 0, 2, 2, 0}",
        "int64[6] windows = {1, 2, 3, 2, 3, 6}", "int64[4] window = {-1, 3, 3, 6}", "int64[5] heads = {4, 9, 3, 2, -1}",
    ];

    /// <summary>Two blocks of SAM's image encoder without their attention, with the table of positions, and the two Gelu that there are.</summary>
    [Fact]
    public void Computes_the_residual_stream_on_rows() => Snapshot.Match(PassCheck.Apply(
        Graph(
            "float[1,6,4,4] x",
            "float[1,6,4,4] y",
            """
            t = Transpose <perm = [0, 2, 3, 1]> (x)
            s = Add (t, table)
            n = LayerNormalization <axis = -1, epsilon = 1.0e-6> (s, g, b)
            p = MatMul (n, w1)  q = Add (b1, p)  r = Gelu (q)
            u = MatMul (r, w2)  z = Add (b2, u)
            s2 = Add (s, z)
            n2 = LayerNormalization <axis = 3, epsilon = 1.0e-6> (s2, g, b)
            p2 = MatMul (n2, w1)  q2 = Add (b1, p2)  r2 = com.microsoft.Gelu (q2)
            u2 = MatMul (r2, w2)  z2 = Add (b2, u2)
            s3 = Add (s2, z2)
            y = Transpose <perm = [0, 3, 1, 2]> (s3)
            """),
        new FlattenTokens()));

    /// <summary>SAM's windows are cut and split into heads by Reshapes, with which the new ones merge, so that even one Linear gains.</summary>
    [Fact]
    public void Merges_with_the_reshapes_around_a_window() => Snapshot.Match(PassCheck.Apply(
        Graph(
            "float[1,4,4,6] x",
            "float[3,4,2,9,3] y",
            """
            padded = Pad (x, pads)
            cut = Reshape (padded, windows)
            turned_windows = Transpose <perm = [0, 1, 3, 2, 4, 5]> (cut)
            w = Reshape (turned_windows, window)
            p = MatMul (w, qkv)  q = Add (bqkv, p)
            h = Reshape (q, heads)
            y = Transpose <perm = [2, 0, 3, 1, 4]> (h)
            """),
        new FlattenTokens()));

    [Fact]
    public void Keeps_the_shape_of_outputs_and_of_what_is_read_outside() => Snapshot.Match(PassCheck.Apply(
        Graph(
            "float[1,4,4,6] x",
            "float[1,4,4,6] y, float[1,4,4,8] r, float[1,1,4,6] mean",
            """
            p = MatMul (x, w1)  q = Add (b1, p)  r = Relu (q)
            u = MatMul (r, w2)  z = Add (b2, u)
            p2 = MatMul (z, w1)  q2 = Add (b1, p2)
            u2 = MatMul (q2, w2)  z2 = Add (b2, u2)
            p3 = MatMul (z2, v)  y = Add (b2, p3)
            mean = ReduceMean <keepdims = 1> (z2, second)
            """),
        new FlattenTokens()));

    [Theory]
    [InlineData("o = Relu (z)")]
    [InlineData("o = Gelu (z)")]
    [InlineData("o = Identity (z)")]
    [InlineData("o = com.microsoft.QuickGelu (z)")]
    [InlineData("o = LayerNormalization <axis = 3> (z, g, b)")]
    [InlineData("o = LayerNormalization (z, g)")]
    [InlineData("o = Mul (column, z)")]
    [InlineData("o = Sub (one, z)")]
    [InlineData("o = Add (z, table)")]
    [InlineData("o = Div (z, b)")]
    [InlineData("e = Erf (z)  o = Mul (z, e)")]
    [InlineData("e = Reshape (z, tokens)  f = Relu (e)  o = Reshape (f, picture)")]
    [InlineData("e = Reshape (z, matrix)  f = Relu (e)  o = Reshape (f, picture)")]
    public void Takes_row_wise_operators_along(string between)
    {
        string text = PassCheck.Apply(Chain(between), new FlattenTokens());
        string after = text[text.IndexOf("after", StringComparison.Ordinal)..];
        Assert.Equal(2, after.Split(" = Reshape (").Length - 1);
    }

    /// <summary>Cut in two by what is not row-wise, the chain has too few Linears on either side.</summary>
    [Theory]
    [InlineData("o = Softmax <axis = 1> (z)")]
    [InlineData("o = LayerNormalization <axis = 2> (z, rows)")] // normalizes over a row of the picture
    [InlineData("o, m = LayerNormalization (z, g)")] // its mean has another width
    [InlineData("o = Add (z, pixel)")] // an addend for each pixel
    [InlineData("o = Add (z, rows)")] // neither for each column nor for each element
    [InlineData("e = Mul (z, wide)  o = ReduceMax <keepdims = 0> (e, first)")] // the constant adds an axis
    [InlineData("e = GlobalMaxPool (z)  o = Add (z, e)")] // another shape that is computed
    [InlineData("o = MatMul (z, batch)")] // a matrix for each row of the picture
    [InlineData("o = MatMul (z, computed)")] // a matrix that is no constant
    [InlineData("o = LayerNormalization (z, scale)")] // a scale that is no constant
    [InlineData("o = Transpose <perm = [0, 2, 1, 3]> (z)")]
    public void Stops_at_what_mixes_rows(string between) => PassCheck.LeavesAlone(Chain(between), new FlattenTokens());

    [Fact]
    public void Leaves_alone_what_saves_nothing() => PassCheck.LeavesAlone(
        Graph("float[1,4,4,6] x", "float[1,4,4,6] y", "p = MatMul (x, w1) q = Add (b1, p) u = MatMul (q, w2) y = Add (b2, u)"),
        new FlattenTokens());

    [Fact]
    public void Leaves_alone_linears_without_a_bias() => PassCheck.LeavesAlone(
        Graph("float[1,4,4,6] x", "float[1,4,4,6] y", "p = MatMul (x, v) q = MatMul (p, v) r = MatMul (q, v) y = MatMul (r, v)"),
        new FlattenTokens());

    [Fact]
    public void Leaves_alone_rows_of_unknown_number() => PassCheck.LeavesAlone(
        Chain("o = Relu (z)", "1,n,4,6"),
        new FlattenTokens());

    [Fact]
    public void Leaves_alone_what_has_rows_already() => PassCheck.LeavesAlone(
        Chain("o = Relu (z)", "16,6"),
        new FlattenTokens());

    /// <summary>One Linear, what is tested, and two Linears: worth its two Reshapes only as a whole.</summary>
    private static string Chain(string between, string shape = "1,4,4,6") => Graph(
        $"float[{shape}] x, float[6,6] computed, float[6] scale",
        $"float[{shape}] y",
        $"p = MatMul (x, v)  z = Add (b2, p)  {between}  p2 = MatMul (o, w1)  q2 = Add (b1, p2)  u2 = MatMul (q2, w2)  y = Add (b2, u2)");

    /// <summary>With the constants that it reads.</summary>
    private static string Graph(string inputs, string outputs, string nodes) =>
        $"g ({inputs}) => ({outputs}) <{string.Join(", ", Constants.Where(c => Regex.IsMatch(nodes, $@"[(,]\s*{c.Split(' ')[1]}\b")))}> {{ {nodes} }}";

    private static string Numbers(int count)
    {
        var random = new Random(count);
        return $"{{{string.Join(", ", Enumerable.Range(0, count).Select(_ => (random.NextDouble() - 0.4).ToString("F3", CultureInfo.InvariantCulture)))}}}";
    }
}
