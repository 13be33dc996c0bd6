using SamCompress.Cli.Jobs;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Tests.Jobs;

public sealed class LayerListTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Remarks_and_empty_lines_are_passed_over() =>
        Assert.Equal(["/a/MatMul", "b*"], LayerList.Read(_directory.Write("list", "# remark\n/a/MatMul\n\n  b*  \r\n#/c\n")));

    [Fact]
    public void What_is_written_is_read_back()
    {
        string text = LayerList.Text("encoder.onnx", [Layer("/blocks.0/MatMul", 0.0123456), Layer("plain name", null)]);

        Assert.Equal("# The most sensitive layers of encoder.onnx, for quantize --exclude-from.\n# IoU loss 0.01235, SQNR 31.2 dB\n/blocks.0/MatMul\n# SQNR 31.2 dB\nplain name\n", text);
        Assert.Equal(["/blocks.0/MatMul", "plain name"], LayerList.Read(_directory.Write("list", text)));
    }

    /// <summary>A model may call its nodes anything; each entry must select that node and no other.</summary>
    [Theory]
    [InlineData("a*b")]
    [InlineData("what?")]
    [InlineData("# no remark")]
    [InlineData("re:x")]
    [InlineData(" blank ")]
    [InlineData("two\nlines")]
    public void Names_that_would_be_read_as_something_else_are_written_as_regular_expressions(string name)
    {
        string entry = Assert.Single(LayerList.Read(_directory.Write("list", LayerList.Text("m", [Layer(name, 0.1)]))));

        Assert.StartsWith("re:", entry, StringComparison.Ordinal);
        Assert.Matches(entry[3..], name);
        Assert.DoesNotMatch(entry[3..], "b" + name);
    }

    [Fact]
    public void A_list_that_is_missing_or_no_list_is_refused()
    {
        File.WriteAllBytes(_directory.File("large"), new byte[(1 << 20) + 1]);

        Assert.Equal(FailureKind.InputRejected, Assert.Throws<SamCompressException>(() => LayerList.Read(_directory.File("absent"))).Kind);
        Assert.Equal(FailureKind.InputRejected, Assert.Throws<SamCompressException>(() => LayerList.Read(_directory.File("large"))).Kind);
    }

    private static MeasuredLayer Layer(string name, double? loss) => new(name, name, LayerKind.Linear, 1 - loss, 31.2, 1, 1);
}
