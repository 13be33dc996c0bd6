using SamCompress.Runtime.Images;

namespace SamCompress.Runtime.Tests.Images;

public sealed class ImageLoaderTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");
    private readonly ImageLoader _loader = new(null);

    public void Dispose()
    {
        _loader.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public void Decodes_png_as_red_green_blue()
    {
        byte[] rows = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        using DecodedImage image = Decode("a.png", TestPictures.Png(2, 2, 8, 2, rows));
        Assert.Equal([1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12], image.Pixels.ToArray<byte>());
        Assert.Empty(image.Remarks);
    }

    [Fact]
    public void Ignores_the_alpha_channel_and_says_so()
    {
        using DecodedImage image = Decode("a.png", TestPictures.Png(1, 2, 8, 6, [10, 20, 30, 0, 40, 50, 60, 255]));
        Assert.Equal([10, 40, 20, 50, 30, 60], image.Pixels.ToArray<byte>());
        Assert.Equal(["the alpha channel is ignored"], image.Remarks);
    }

    [Fact]
    public void Copies_grey_to_three_channels()
    {
        using DecodedImage image = Decode("a.png", TestPictures.Png(3, 1, 8, 0, [7, 128, 255]));
        Assert.Equal([7, 128, 255, 7, 128, 255, 7, 128, 255], image.Pixels.ToArray<byte>());
    }

    [Fact]
    public void Keeps_the_high_byte_of_16_bits()
    {
        using DecodedImage image = Decode("a.png", TestPictures.Png(2, 1, 16, 0, [0x12, 0xFF, 0xFE, 0x00]));
        Assert.Equal([0x12, 0xFE, 0x12, 0xFE, 0x12, 0xFE], image.Pixels.ToArray<byte>());
        Assert.Contains("16 bits a channel are reduced to 8", image.Remarks);
    }

    [Fact]
    public void Looks_colours_up_in_a_palette_whose_transparency_it_ignores()
    {
        byte[] palette = [1, 2, 3, 200, 100, 50];
        using DecodedImage image = Decode("a.png", TestPictures.Png(2, 1, 8, 3, [1, 0], ("PLTE", palette), ("tRNS", [0, 0])));
        Assert.Equal([200, 1, 100, 2, 50, 3], image.Pixels.ToArray<byte>());
        Assert.Contains("transparency is ignored", image.Remarks);
    }

    [Fact]
    public void Expands_one_bit_grey()
    {
        using DecodedImage image = Decode("a.png", TestPictures.Png(8, 1, 1, 0, [0b1010_0001]));
        Assert.Equal([255, 0, 255, 0, 0, 0, 0, 255], image.Pixels.ToArray<byte>()[..8]);
    }

    [Theory]
    [InlineData("flat.jpg")]
    [InlineData("flat-progressive.jpg")]
    public void Decodes_jpeg(string fixture)
    {
        using DecodedImage image = _loader.Decode(TestPictures.Fixture(fixture));
        Assert.Equal((24, 16), (image.Width, image.Height));
        Assert.Equal([200, 100, 50], Pixel(image, 0, 0));
        AssertNear([20, 60, 180], Pixel(image, 23, 0));
        AssertNear([10, 30, 90], Pixel(image, 23, 15));
    }

    [Fact]
    public void Decodes_grey_jpeg()
    {
        using DecodedImage image = _loader.Decode(TestPictures.Fixture("flat-grey.jpg"));
        Assert.Equal([124, 124, 124], Pixel(image, 0, 0));
        Assert.Equal([31, 31, 31], Pixel(image, 23, 15));
        Assert.Equal(["grey is copied to three channels"], image.Remarks);
    }

    /// <summary>The sum is that of libjpeg-turbo, read by an independent program when the picture was made.</summary>
    [Theory]
    [InlineData("noise-grey.jpg")]
    [InlineData("noise-grey-progressive.jpg")]
    public void Decodes_grey_jpeg_with_restart_markers(string fixture)
    {
        using DecodedImage image = _loader.Decode(TestPictures.Fixture(fixture));
        byte[] pixels = image.Pixels.ToArray<byte>();
        const int plane = 53 * 37;
        Assert.Equal(246_649, pixels[..plane].Sum(p => p));
        Assert.Equal(pixels[..plane], pixels[plane..(2 * plane)]);
        Assert.Equal(pixels[..plane], pixels[(2 * plane)..]);
    }

    /// <summary>EXIF 2.32, 4.6.4: where row 0 and column 0 of the stored picture are when it is upright.</summary>
    [Theory]
    [InlineData(1, 24, 0, 0)]
    [InlineData(2, 24, 23, 0)]
    [InlineData(3, 24, 23, 15)]
    [InlineData(4, 24, 0, 15)]
    [InlineData(5, 16, 0, 0)]
    [InlineData(6, 16, 15, 0)]
    [InlineData(7, 16, 15, 23)]
    [InlineData(8, 16, 0, 23)]
    public void Turns_the_picture_upright(int orientation, int width, int x, int y)
    {
        using DecodedImage image = Decode($"{orientation}.jpg", TestPictures.JpegWithOrientation(orientation, isLittle: orientation % 2 == 0));
        Assert.Equal((width, 40 - width), (image.Width, image.Height));
        Assert.Equal([200, 100, 50], Pixel(image, x, y));
        AssertNear([10, 30, 90], Pixel(image, width - 1 - x, 40 - width - 1 - y));
        Assert.Equal(orientation == 1 ? [] : [$"EXIF orientation {orientation} is applied"], image.Remarks);
    }

    /// <summary>The part to the right of the stored picture's first is (20,60,180): tells a turn from a mirrored one.</summary>
    [Fact]
    public void Turns_clockwise_for_orientation_6()
    {
        using DecodedImage image = Decode("6.jpg", TestPictures.JpegWithOrientation(6));
        AssertNear([20, 60, 180], Pixel(image, 15, 23));
        AssertNear([100, 50, 25], Pixel(image, 0, 0));
    }

    [Fact]
    public void Turns_png_too()
    {
        using DecodedImage image = Decode("a.png", TestPictures.Png(2, 1, 8, 0, [9, 8], ("eXIf", TestPictures.Exif(3, isLittle: true))));
        Assert.Equal([8, 9], image.Pixels.ToArray<byte>()[..2]);
    }

    [Fact]
    public void Reads_a_png_named_jpg_and_says_so()
    {
        using DecodedImage image = Decode("a.jpg", TestPictures.Png(1, 1, 8, 2, [1, 2, 3]));
        Assert.Equal(["is a PNG in spite of its name"], image.Remarks);
    }

    [Fact]
    public void Rejects_png_data_that_does_not_unpack()
    {
        byte[] header = [0, 0, 0, 4, 0, 0, 0, 4, 8, 2, 0, 0, 0];
        Rejects("cannot be decoded", TestPictures.Png(("IHDR", header), ("IDAT", [1, 2, 3, 4]), ("IEND", [])));
    }

    /// <summary>The decoder ends the process at a bad table, so that a hole in the checks shows as a crash of this run.</summary>
    [Theory]
    [InlineData("flat.jpg")]
    [InlineData("flat-grey.jpg")]
    [InlineData("flat-progressive.jpg")]
    public void Survives_any_changed_byte(string fixture)
    {
        byte[] jpeg = File.ReadAllBytes(TestPictures.Fixture(fixture));
        for (int i = 0; i < jpeg.Length; i++)
        {
            byte original = jpeg[i];
            jpeg[i] ^= (byte)(1 << (i % 8));
            Exception? e = Record.Exception(() => Decode("changed.jpg", jpeg).Dispose());
            Assert.True(e is null or SamCompressException { Kind: FailureKind.InputRejected }, $"byte {i}: {e}");
            jpeg[i] = original;
        }
    }

    private void Rejects(string message, byte[] bytes)
    {
        var e = Assert.Throws<SamCompressException>(() => Decode("bad.png", bytes).Dispose());
        Assert.Equal(FailureKind.InputRejected, e.Kind);
        Assert.StartsWith("bad.png: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    private DecodedImage Decode(string name, byte[] bytes)
    {
        string path = Path.Combine(_directory.FullName, name);
        File.WriteAllBytes(path, bytes);
        return _loader.Decode(path);
    }

    private static byte[] Pixel(DecodedImage image, int x, int y)
    {
        Span<byte> pixels = image.Pixels.As<byte>();
        int plane = image.Width * image.Height;
        int place = (y * image.Width) + x;
        return [pixels[place], pixels[plane + place], pixels[(2 * plane) + place]];
    }

    /// <summary>JPEG's colours are off by one level after quantization.</summary>
    private static void AssertNear(byte[] expected, byte[] actual)
    {
        for (int i = 0; i < 3; i++)
            Assert.InRange(actual[i], expected[i] - 1, expected[i] + 1);
    }
}
