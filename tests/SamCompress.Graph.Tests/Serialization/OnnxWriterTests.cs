using SamCompress.IR.Serialization;

namespace SamCompress.IR.Tests.Serialization;

public sealed class OnnxWriterTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("samcompress-writer-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private static Model ModelWithWeights()
    {
        var model = new Model(8, [new OpsetImport("", 17)]);
        Graph graph = model.Graph;
        Value x = graph.AddInput("x", ElementType.Float, Shape.Of(1, 2000));
        Value w = graph.AddInitializer("w", Tensor.Lazy(ElementType.Float, [2000, 2], bytes => bytes.Fill(0x3F)));
        Value b = graph.AddInitializer("b", Tensor.Of([1f, 2f], 2));
        Node product = graph.Append("MatMul", [x, w], ["p"]);
        graph.AddOutput(graph.Append("Add", [product.Output, b], ["y"]).Output);
        return model;
    }

    [Fact]
    public void Small_initializers_stay_inline_and_big_ones_are_aligned_in_the_data_file()
    {
        using Model model = ModelWithWeights();
        model.Graph.AddInitializer("v", Tensor.FromBytes(ElementType.UInt8, [5000], new byte[5000]));

        IReadOnlyList<string> files = OnnxWriter.Save(model, PathOf("m.onnx"), new SaveOptions { ExternalData = ExternalDataMode.Always });

        Assert.Equal([PathOf("m.onnx"), PathOf("m.onnx.data")], files);
        ModelProto proto = ModelProto.Parser.ParseFrom(File.ReadAllBytes(PathOf("m.onnx")));
        Assert.Equal(["location=m.onnx.data", "offset=0", "length=16000"], proto.Graph.Initializer[0].ExternalData.Select(e => $"{e.Key}={e.Value}"));
        Assert.Equal(8, proto.Graph.Initializer[1].RawData.Length);
        Assert.Equal(["location=m.onnx.data", "offset=16384", "length=5000"], proto.Graph.Initializer[2].ExternalData.Select(e => $"{e.Key}={e.Value}"));
        Assert.Equal(16384 + 5000, new FileInfo(PathOf("m.onnx.data")).Length);
    }

    [Fact]
    public void A_model_with_external_data_stays_external_and_is_written_the_same_again()
    {
        using Model model = ModelWithWeights();
        OnnxWriter.Save(model, PathOf("m.onnx"), new SaveOptions { ExternalData = ExternalDataMode.Always });
        Directory.CreateDirectory(PathOf("again"));

        using Model read = OnnxReader.Read(PathOf("m.onnx"));
        OnnxWriter.Save(read, PathOf("again/m.onnx"));

        Assert.Equal(File.ReadAllBytes(PathOf("m.onnx")), File.ReadAllBytes(PathOf("again/m.onnx")));
        Assert.Equal(File.ReadAllBytes(PathOf("m.onnx.data")), File.ReadAllBytes(PathOf("again/m.onnx.data")));
    }

    [Fact]
    public void External_data_can_be_brought_inline()
    {
        using Model model = ModelWithWeights();
        OnnxWriter.Save(model, PathOf("m.onnx"), new SaveOptions { ExternalData = ExternalDataMode.Always });
        using Model read = OnnxReader.Read(PathOf("m.onnx"));

        OnnxWriter.Save(read, PathOf("inline.onnx"), new SaveOptions { ExternalData = ExternalDataMode.Never });

        Assert.Equal(OnnxWriter.Serialize(model), File.ReadAllBytes(PathOf("inline.onnx")));
    }

    [Fact]
    public void A_file_in_an_unusual_encoding_is_copied_while_nothing_was_edited()
    {
        // The same ir_version twice: the last one counts, and the writer would write one.
        byte[] unusual = [8, 7, .. OnnxWriter.Serialize(ModelWithWeights())];
        File.WriteAllBytes(PathOf("m.onnx"), unusual);
        using Model model = OnnxReader.Read(PathOf("m.onnx"));

        OnnxWriter.Save(model, PathOf("copy.onnx"));
        Assert.Equal(unusual, File.ReadAllBytes(PathOf("copy.onnx")));

        model.Graph.Nodes.First!.Name = "edited";
        OnnxWriter.Save(model, PathOf("edited.onnx"));
        Assert.Equal(unusual.Length - 2 + 2 + "edited".Length, new FileInfo(PathOf("edited.onnx")).Length);
    }

    [Fact]
    public void Detached_initializers_are_named_and_leave_the_message()
    {
        using Model model = ModelWithWeights();

        byte[] bytes = OnnxWriter.SerializeDetached(model, 1024, out IReadOnlyList<Value> detached);

        Assert.Equal(["w"], detached.Select(v => v.Name));
        Assert.InRange(bytes.Length, 1, 400);
    }

    [Fact]
    public void Changed_types_are_declared_and_unchanged_ones_keep_their_message()
    {
        using Model model = OnnxReader.Parse(OnnxWriter.Serialize(ModelWithWeights()));
        model.Graph.Outputs[0].ElementType = ElementType.Float;
        model.Graph.Outputs[0].Shape = new Shape(Dimension.Of("batch"), 2);

        ModelProto proto = ModelProto.Parser.ParseFrom(OnnxWriter.Serialize(model));

        Assert.Equal("batch", proto.Graph.Output[0].Type.TensorType.Shape.Dim[0].DimParam);
        Assert.Equal(2, proto.Graph.Output[0].Type.TensorType.Shape.Dim[1].DimValue);
    }
}
