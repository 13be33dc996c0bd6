using SamCompress.IR;
using SamCompress.Passes.Attention;

namespace SamCompress.Passes.Tests.Attention;

public sealed class SelfAttentionReaderTests
{
    [Fact]
    public void Reads_what_an_exporter_wrote()
    {
        using Model model = AttentionCheck.Parse(SamBlockText.Windowed(3, 4, 2));
        SelfAttention attention = Assert.Single(SelfAttentionReader.Read(model).Attentions);
        Assert.Equal((2, 2, 4L, 4L), (attention.Heads, attention.HeadSize, attention.Order.GroupCount, attention.Order.TokenCount));
        Assert.Equal(0.7, attention.Scale, 6);
        Assert.Equal("decomposed 2x2", attention.Position.ToString());
        Assert.True(attention.Columns.IsPartMajor);
        WindowPartition window = attention.Window!;
        Assert.Equal((3L, 4L, 4L, 4L), (window.Height, window.Width, window.PaddedHeight, window.PaddedWidth));
        Assert.Equal([8L, 4, 2, 1], window.Order.RowDigits.Select(d => d.Stride));
        Assert.Equal([8L, 2], window.Order.Groups.Select(d => d.Stride));
        Assert.Equal(("x", "y"), (window.Map.Name, window.Result.Name));
    }

    [Fact]
    public void Finds_the_normalization_between_windows_and_linear()
    {
        using Model model = AttentionCheck.Prepared("mobilesam_encoder");
        Assert.All(SelfAttentionReader.Read(model).Attentions, a => Assert.NotNull(a.Window?.Normalization));
    }

    [Theory]
    [InlineData("y = Slice (b4, starts, ends, axes)", "n = Neg (b4) y = Slice (n, starts, ends, axes)")] // not put together as it was cut
    [InlineData("p6 = Reshape (p, cut)", "p6r = Neg (p) p6 = Reshape (p6r, cut)")] // something else stands between padding and windows
    public void Windows_of_another_form_are_attention_without_windows(string line, string other)
    {
        using Model model = AttentionCheck.Parse(SamBlockText.Windowed(3, 4, 2).With(line, other));
        SelfAttention attention = Assert.Single(SelfAttentionReader.Read(model).Attentions);
        Assert.True(attention.Window is null || !attention.Window.IsPadded);
    }

    [Theory]
    [InlineData("kt = Transpose <perm = [0, 2, 1]> (k)", "kd = Mul (k, d) kt = Transpose <perm = [0, 2, 1]> (kd)", "query or key have a factor that is no scalar")]
    [InlineData("s1 = Add (l5, uh)", "s1 = Add (l5, uw2)", "'uw2' is not added along the axis of its table")]
    [InlineData("s1 = Add (l5, uh)", "s1 = Add (l5, ut)", "'ut' is no relative position term")]
    [InlineData("s2 = Add (s1, uw)", "s2 = Add (s1, uh)", "two terms for the same axis")]
    [InlineData("s2 = Add (s1, uw)", "s2 = Identity (s1)", "the terms for positions are not one for rows and one for columns")]
    public void Says_what_is_not_understood(string line, string other, string reason)
    {
        string more = "float[2] d = {1, 2}, ";
        string text = SamBlockText.Global(2, 2).With("<float[6,12] w", "<" + more + "float[6,12] w").With(line, line == "s1 = Add (l5, uh)" ? "uw2 = Unsqueeze (ew, four) kq = Neg (eh) ut = Unsqueeze (kq, four) " + other : other);
        using Model model = AttentionCheck.Parse(text);
        SelfAttentionView view = SelfAttentionReader.Read(model);
        Assert.Empty(view.Attentions);
        Assert.Contains(reason, view.Misses.Select(m => m.Reason));
    }

    [Fact]
    public void Cross_attention_is_no_self_attention()
    {
        using Model model = AttentionCheck.Parse(AttentionText.Cross);
        Assert.Equal("query, key and value are not columns of one Linear", Assert.Single(SelfAttentionReader.Read(model).Misses).Reason);
    }

    [Fact]
    public void A_selection_names_numbers_that_do_not_exist()
    {
        using Model model = AttentionCheck.Parse(SamBlockText.Global(2, 2));
        SelfAttentionView view = SelfAttentionReader.Read(model);
        Assert.Equal([0], new AttentionSelection().Of(view).Select(a => a.Number));
        Assert.Equal("the model has no attention number 3: there are 1, from 0", Assert.Throws<SamCompressException>(() => new AttentionSelection([3]).Of(view)).Message);
        using Model windowed = AttentionCheck.Parse(SamBlockText.Windowed(3, 4, 2));
        Assert.Equal("the model has no attention of all tokens that is understood", Assert.Throws<SamCompressException>(() => new AttentionSelection().Of(SelfAttentionReader.Read(windowed))).Message);
    }
}
