using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Images.Embedded;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Images.Embedded;

/// <summary>An encoder that takes pictures, against the same encoder fed by <see cref="ImageLoader"/>, whose parts are held to Pillow and libjpeg-turbo elsewhere.</summary>
public sealed class EmbeddedPreprocessingTests(EmbeddedPreprocessingTests.Encoders encoders) : IClassFixture<EmbeddedPreprocessingTests.Encoders>, IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("flat.jpg")]
    [InlineData("flat-progressive.jpg")]
    [InlineData("flat-grey.jpg")]
    [InlineData("noise-grey.jpg")]
    [InlineData("noise-grey-progressive.jpg")]
    public void Jpegs_give_the_same_embedding(string fixture) => AssertSame(TestPictures.Fixture(fixture));

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Photographs_give_the_same_embedding(int scene) => AssertSame(TestPictures.Scene(scene));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Rotated_jpegs_give_the_same_embedding(int orientation) =>
        AssertSame(Write("rotated.jpg", TestPictures.JpegWithOrientation(orientation, isLittle: orientation % 2 == 0)));

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    public void Rotated_pngs_give_the_same_embedding(int orientation) =>
        AssertSame(Write("rotated.png", TestPictures.Png(3, 2, 8, 2, Rows(18), ("tEXt", [65, 0, 66]), ("eXIf", TestPictures.Exif(orientation, isLittle: orientation == 3)))));

    [Fact]
    public void Pngs_of_every_kind_give_the_same_embedding()
    {
        byte[] palette = [1, 2, 3, 200, 100, 50];
        byte[] gamma = [0, 0, 0xB1, 0x8F];
        AssertSame(Write("rgb.png", TestPictures.Png(40, 30, 8, 2, Rows(40 * 30 * 3))));
        AssertSame(Write("grey.png", TestPictures.Png(30, 40, 8, 0, Rows(40 * 30))));
        AssertSame(Write("alpha.png", TestPictures.Png(5, 4, 8, 6, Rows(5 * 4 * 4))));
        AssertSame(Write("grey-alpha.png", TestPictures.Png(5, 4, 8, 4, Rows(5 * 4 * 2))));
        AssertSame(Write("deep.png", TestPictures.Png(5, 4, 16, 2, Rows(5 * 4 * 6))));
        AssertSame(Write("bits.png", TestPictures.Png(8, 2, 1, 0, [0b1010_0001, 0b1100_0011])));
        AssertSame(Write("palette.png", TestPictures.Png(2, 1, 8, 3, [1, 0], ("PLTE", palette))));
        AssertSame(Write("transparent.png", TestPictures.Png(2, 1, 8, 3, [1, 0], ("PLTE", palette), ("tRNS", [0, 0]))));
        AssertSame(Write("gamma.png", TestPictures.Png(5, 4, 8, 2, Rows(5 * 4 * 3), ("gAMA", gamma))));
    }

    /// <summary>EXIF data is only advice: what is malformed counts as none, in both.</summary>
    [Theory]
    [InlineData(0, 0x58)] // no byte order
    [InlineData(4, 0xFF)] // a directory beyond the end
    [InlineData(9, 0)] // no entry
    [InlineData(9, 200)] // more entries than there are
    [InlineData(11, 0x13)] // another tag
    [InlineData(13, 4)] // another type
    [InlineData(19, 9)] // no orientation
    public void Malformed_exif_data_turns_nothing(int place, byte value)
    {
        byte[] exif = TestPictures.Exif(6, isLittle: false);
        exif[place] = value;
        AssertSame(Write("rotated.png", TestPictures.Png(3, 2, 8, 2, Rows(18), ("eXIf", exif))));
    }

    [Fact]
    public void The_sizes_are_those_of_the_upright_picture()
    {
        using RuntimeTensors results = RunFile(Write("6.jpg", TestPictures.JpegWithOrientation(6)));
        Assert.Equal([24, 16], results[EmbeddedPreprocessing.OriginalSizeOutput].ToArray<long>());
        Assert.Equal([encoders.Side, (encoders.Side * 16 / 24) + 1], results[EmbeddedPreprocessing.ResizedSizeOutput].ToArray<long>());
    }

    [Fact]
    public void Pixels_give_the_same_embedding()
    {
        using DecodedImage image = encoders.Loader.Decode(TestPictures.Scene(2));
        using RuntimeTensor rows = RuntimeTensor.Of(Raster.Of(image).Pixels, image.Height, image.Width, 3);
        using RuntimeTensors results = encoders.Pixels.Run(new Dictionary<string, RuntimeTensor> { ["pixels"] = rows });
        AssertSame(TestPictures.Scene(2), results);
        Assert.Equal([image.Height, image.Width], results[EmbeddedPreprocessing.OriginalSizeOutput].ToArray<long>());
    }

    [Fact]
    public void A_file_that_is_no_picture_is_an_error()
    {
        Assert.Throws<SamCompressException>(() => RunFile(Write("no.png", "no picture"u8.ToArray())).Dispose());
        Assert.Throws<SamCompressException>(() => RunFile(Write("short.png", [0x89])).Dispose());
    }

    /// <summary>The decoder would write beyond its buffer: the graph does not let it.</summary>
    [Fact]
    public void A_jpeg_of_four_channels_is_an_error()
    {
        byte[] jpeg = File.ReadAllBytes(TestPictures.Fixture("flat.jpg"));
        int frame = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]);
        jpeg[frame + 9] = 4;
        Assert.Throws<SamCompressException>(() => RunFile(Write("cmyk.jpg", jpeg)).Dispose());
    }

    [Theory]
    [InlineData(PictureForm.File)]
    [InlineData(PictureForm.Pixels)]
    public void The_graph_keeps_to_the_format(PictureForm form)
    {
        using Model model = OnnxReader.Read(Encoders.Nano);
        EmbeddedPreprocessing.Embed(model, form);
        using Model again = OnnxReader.Parse(OnnxWriter.Serialize(model));
        Assert.DoesNotContain(GraphChecker.Check(again), d => d.Severity == Severity.Error);
        Assert.Equal([form == PictureForm.File ? "file" : "pixels"], again.Graph.Inputs.Select(i => i.Name));
    }

    [Fact]
    public void Names_that_the_encoder_has_are_given_to_the_preprocessing()
    {
        using Model model = ModelText.Parse("g (float[1,3,8,8] file) => (float[1,3,8,8] y) { original_size = Neg (file) y = Neg (original_size) }", opset: 17);
        EmbeddedPreprocessing.Embed(model, PictureForm.File);
        Assert.Equal(["file"], model.Graph.Inputs.Select(i => i.Name));
        Assert.Equal(["y", "original_size", "resized_size"], model.Graph.Outputs.Select(o => o.Name));
        Assert.DoesNotContain(GraphChecker.Check(model), d => d.Severity == Severity.Error);
    }

    [Theory]
    [InlineData("g (float[1,77] x) => (float[1,77] y) { y = Neg (x) }")]
    [InlineData("g (float[1,3,8,8] x, float[1] z) => (float[1,3,8,8] y) { y = Add (x, z) }")]
    [InlineData("g (float[1,3,8,8] x) => (float[1,3,8,8] resized_size) { resized_size = Neg (x) }")]
    public void Other_models_are_refused(string text)
    {
        using Model model = ModelText.Parse(text);
        Assert.Equal(FailureKind.Unsupported, Assert.Throws<SamCompressException>(() => EmbeddedPreprocessing.Embed(model, PictureForm.Pixels)).Kind);
    }

    private static byte[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(i * 37))];

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_directory.FullName, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private void AssertSame(string picture)
    {
        using RuntimeTensors results = RunFile(picture);
        AssertSame(picture, results);
    }

    private void AssertSame(string picture, RuntimeTensors results)
    {
        using EncoderImage image = encoders.Loader.Load(picture);
        using RuntimeTensors expected = encoders.Plain.Run(new Dictionary<string, RuntimeTensor> { [encoders.Plain.Inputs[0].Name] = image.Input });
        Assert.Equal([image.Height, image.Width], results[EmbeddedPreprocessing.OriginalSizeOutput].ToArray<long>());
        Assert.Equal([image.ResizedHeight, image.ResizedWidth], results[EmbeddedPreprocessing.ResizedSizeOutput].ToArray<long>());
        float[] actual = results[encoders.Plain.Outputs[0].Name].ToArray<float>(), wanted = expected[encoders.Plain.Outputs[0].Name].ToArray<float>();
        Assert.Equal(wanted.Length, actual.Length);
        float worst = 0;
        for (int i = 0; i < wanted.Length; i++)
            worst = Math.Max(worst, Math.Abs(wanted[i] - actual[i]));
        Assert.True(worst <= 1e-3f, $"{Path.GetFileName(picture)}: {worst}");
    }

    private RuntimeTensors RunFile(string picture)
    {
        byte[] bytes = File.ReadAllBytes(picture);
        using RuntimeTensor file = RuntimeTensor.Of(bytes, bytes.Length);
        return encoders.File.Run(new Dictionary<string, RuntimeTensor> { ["file"] = file });
    }

    public sealed class Encoders : IDisposable
    {
        internal static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");

        public Encoders()
        {
            Plain = OnnxSession.Open(Nano);
            Loader = new ImageLoader(Preprocessing.For(Plain));
            File = Embedded(PictureForm.File);
            Pixels = Embedded(PictureForm.Pixels);
        }

        internal OnnxSession Plain { get; }

        internal OnnxSession File { get; }

        internal OnnxSession Pixels { get; }

        internal ImageLoader Loader { get; }

        internal int Side => Loader.Preprocessing!.Side;

        public void Dispose()
        {
            Plain.Dispose();
            File.Dispose();
            Pixels.Dispose();
            Loader.Dispose();
        }

        private static OnnxSession Embedded(PictureForm form)
        {
            using Model model = OnnxReader.Read(Nano);
            EmbeddedPreprocessing.Embed(model, form);
            return OnnxSession.Open(OnnxReader.Parse(OnnxWriter.Serialize(model)), new SessionSettings { UseExtensions = form == PictureForm.File });
        }
    }
}
