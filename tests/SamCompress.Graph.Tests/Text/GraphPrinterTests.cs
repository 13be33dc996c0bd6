using SamCompress.IR.Serialization;
using SamCompress.IR.Text;
using SamCompress.Testing;

namespace SamCompress.IR.Tests.Text;

public sealed class GraphPrinterTests
{
    internal const string Sample =
        """
        <ir_version: 8, opset_import: ["": 17, "my.domain": 1], producer_name: "test", metadata_props: ["key": "a \"quoted\"\nvalue"]>
        agraph (float[N,3] X, bool cond, seq(float[?]) "list of.things", optional(int64) o) => (float[N] Y, float[] Z)
        <float[3] W = {1, -2.5, inf}, string[2] words = {"a", "\xff\x00b"}, int4[3] nibbles = {-8, 7, 1}, float[N,3] T,
         sparse_tensor(float[4]) S = {float[1] {1}, int64[1] {2}}>
        {
          [add] T = Add (X, W)  # a comment
          Y = ReduceSum <axes = [1], keepdims = 0> (T)
          Z = If (cond) <
            then_branch = then_graph () => (float y) { y = Constant <value = float {1}> () },
            else_branch: graph = "else.graph" () => (float z) <float[1] c = {2}> { z = my.domain.Twice <scale = 1.0, list: ints = []> (c,, "") }
          >
          a, "", b = "odd-domain"."Op 1":two (X, "", T) <t = float16[2] name {15360, 31744}, s = "x", ty = map(string,seq(float)), u: undefined = 3>
          = Sink (a, b)
        }

        <domain: "my.domain", opset_import: ["": 17]>
        Twice <scale, bias: float = 0.5> (x) => (y)
        {
          f = Constant <value_float: float = @scale> ()
          y = Mul (x, f)
        }
        """;

    [Fact]
    public void Prints_every_construct_in_a_stable_layout()
    {
        using Model model = ModelText.Parse(Sample);
        Snapshot.Match(GraphPrinter.Print(model));
    }

    [Fact]
    public void Text_printed_in_full_parses_to_the_same_text()
    {
        using Model model = ModelText.Parse(Sample);
        string text = GraphPrinter.Print(model);
        using Model again = GraphParser.ParseModel(text);
        Assert.Equal(text, GraphPrinter.Print(again));
    }

    [Fact]
    public void Shows_big_tensors_by_hash_and_statistics()
    {
        using Model model = ModelText.Parse(
            """
            g (float[2,2] X) => (float[2,2] Y) <float[2,2] W = {1, 2, 3, -6}, int64[2] small = {1, 2}>
            { Y = Add (X, W) }
            """);
        Snapshot.Match(GraphPrinter.Print(model, new PrintOptions { MaxElements = 3, TypesAsComments = true }));
    }

    [Theory]
    [InlineData(1, 3L)]
    [InlineData(1, -1L)]
    [InlineData(1, long.MaxValue)]
    [InlineData(8, 2L)]
    [InlineData(0, 1L)]
    [InlineData(99, 1L)]
    public void Refuses_a_sparse_tensor_whose_data_does_not_fit(int type, long dimension)
    {
        using Model model = ModelText.Parse("g () => () { }");
        model.Graph.Shell.SparseInitializer.Add(new SparseTensorProto { Values = new TensorProto { DataType = type, Dims = { dimension, 4 }, Name = "S" } });
        SamCompressException error = Assert.Throws<SamCompressException>(() => GraphPrinter.Print(model));
        Assert.Equal("tensor 'S': the data does not fit its type and dimensions", error.Message);
    }
}
