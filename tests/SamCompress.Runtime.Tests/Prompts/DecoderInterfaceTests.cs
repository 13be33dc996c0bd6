using SamCompress.IR;
using SamCompress.Runtime.Prompts;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Prompts;

public sealed class DecoderInterfaceTests
{
    private static readonly string[] Official = ["image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size"];

    [Theory]
    [InlineData(DecoderKind.Official, "image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size")]
    [InlineData(DecoderKind.EfficientVit, "image_embeddings", "point_coords", "point_labels")]
    [InlineData(DecoderKind.Transformers, "input_points", "input_labels", "image_embeddings", "image_positional_embeddings")]
    public void Knows_exporters_by_their_names(DecoderKind expected, params string[] names)
    {
        DecoderInterface? found = DecoderInterface.Detect(names.Select(n => (n, (Shape?)null)));
        Assert.Equal(new DecoderInterface(expected, 1024), found);
    }

    [Fact]
    public void Finds_the_frame_by_the_embedding()
    {
        DecoderInterface? found = DecoderInterface.Detect(Official.Select(n => (n, n == "image_embeddings" ? Shape.Of(1, 128, 16, 16) : null)));
        Assert.Equal(256, found!.Frame);
    }

    [Fact]
    public void Does_not_take_an_encoder_for_a_decoder()
    {
        Assert.Null(DecoderInterface.Detect([("image", Shape.Of(1, 3, 1024, 1024))]));
        Assert.Null(DecoderInterface.Detect([("image_embeddings", null), ("point_coords", null)]));
    }

    [Fact]
    public void Finds_the_decoder_beside_the_encoder()
    {
        string folder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano");
        Assert.Equal(Path.Combine(folder, "decoder.onnx"), DecoderInterface.FindBeside(Path.Combine(folder, "encoder.onnx")));
    }

    [Fact]
    public void Passes_over_what_is_no_decoder_and_what_does_not_fit()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("samcompress-tests-");
        try
        {
            string encoder = Path.Combine(folder.FullName, "encoder.onnx");
            Save(encoder, [("image", Shape.Of(1, 3, 64, 64))], Shape.Of(1, 8, 4, 4));
            File.WriteAllText(Path.Combine(folder.FullName, "broken.onnx"), "hello");
            Assert.Null(DecoderInterface.FindBeside(encoder));

            Save(Path.Combine(folder.FullName, "a.onnx"), DecoderInputs(Shape.Of(1, 256, 64, 64)), Shape.Of(1));
            Assert.Null(DecoderInterface.FindBeside(encoder));

            string fitting = Path.Combine(folder.FullName, "z.onnx");
            Save(fitting, DecoderInputs(Shape.Of(1, 8, 4, 4)), Shape.Of(1));
            Assert.Equal(fitting, DecoderInterface.FindBeside(encoder));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static (string, Shape)[] DecoderInputs(Shape embedding) => [.. Official.Select(n => (n, n == "image_embeddings" ? embedding : Shape.Of(1)))];

    private static void Save(string path, (string Name, Shape Shape)[] inputs, Shape output)
    {
        using var model = new Model(8, [new OpsetImport("", 17)]);
        foreach ((string name, Shape shape) in inputs)
            model.Graph.AddInput(name, ElementType.Float, shape);
        Value y = model.Graph.Append("Identity", [model.Graph.Inputs[0]], [inputs.Length == 1 ? "image_embeddings" : "masks"]).Output;
        y.ElementType = ElementType.Float;
        y.Shape = output;
        model.Graph.AddOutput(y);
        OnnxWriter.Save(model, path);
    }
}
