using SamCompress.Runtime.Images;

namespace SamCompress.Runtime.Tests.Images;

public sealed class PictureFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Rejects_what_is_no_picture()
    {
        Rejects("neither a JPEG nor a PNG", "hello"u8);
        Rejects("Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:00\n"u8);
        Rejects("is empty", []);
    }

    [Fact]
    public void Rejects_a_missing_file_and_a_directory()
    {
        Assert.Equal(FailureKind.InputRejected, Assert.Throws<SamCompressException>(() => PictureFile.Read("nowhere.png", PictureLimits.Default)).Kind);
        Assert.Contains(
            "is a directory",
            Assert.Throws<SamCompressException>(() => PictureFile.Read(_directory.FullName, PictureLimits.Default)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_a_device_without_reading_it()
    {
        if (OperatingSystem.IsLinux())
            Assert.Throws<SamCompressException>(() => PictureFile.Read("/dev/zero", PictureLimits.Default));
    }

    [Fact]
    public void Rejects_a_png_of_too_many_pixels()
    {
        byte[] header = [0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 8, 0, 0, 0, 0];
        Rejects("65535 x 65535 pixels", TestPictures.Png(("IHDR", header), ("IDAT", [0]), ("IEND", [])));
    }

    [Fact]
    public void Rejects_an_animated_and_an_interlaced_png()
    {
        Rejects("animated", TestPictures.Png(1, 1, 8, 0, [0], ("acTL", [0, 0, 0x27, 0x10, 0, 0, 0, 0])));
        Rejects("interlaced", TestPictures.Png(("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 1]), ("IDAT", [0]), ("IEND", [])));
    }

    [Fact]
    public void Leaves_out_text_and_profiles()
    {
        byte[] plain = TestPictures.Png(1, 1, 8, 0, [5]);
        PictureFile file = PictureFile.Parse(TestPictures.Png(1, 1, 8, 0, [5], ("zTXt", new byte[1000]), ("iCCP", new byte[1000])), PictureLimits.Default);
        Assert.Equal(plain, file.Encoded);
    }

    [Fact]
    public void Rejects_too_many_chunks()
    {
        byte[] png = TestPictures.Png(1, 1, 8, 0, [5], [.. Enumerable.Repeat(("tEXt", new byte[1]), 20)]);
        var e = Assert.Throws<InvalidDataException>(() => PictureFile.Parse(png, new PictureLimits { MaxChunks = 10 }));
        Assert.Contains("more than 10 chunks", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_a_png_with_a_wrong_checksum_or_header()
    {
        byte[] png = TestPictures.Png(2, 2, 8, 0, [1, 2, 3, 4]);
        png[^20] ^= 1;
        Rejects("wrong checksum", png);
        Rejects("bit depth 3", TestPictures.Png(("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 3, 0, 0, 0, 0]), ("IEND", [])));
        Rejects("no picture data", TestPictures.Png(("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]), ("IEND", [])));
        Rejects("first chunk", TestPictures.Png(("IEND", [])));
        Rejects("no palette", TestPictures.Png(1, 1, 8, 3, [0]));
        Rejects("no pixels", TestPictures.Png(0, 1, 8, 0, []));
    }

    [Theory]
    [InlineData("flat.jpg")]
    [InlineData("flat-progressive.jpg")]
    [InlineData("noise-grey.jpg")]
    public void Rejects_a_jpeg_cut_at_any_byte(string fixture)
    {
        byte[] jpeg = File.ReadAllBytes(TestPictures.Fixture(fixture));
        for (int length = 0; length < jpeg.Length; length++)
            Assert.Throws<InvalidDataException>(() => PictureFile.Parse(jpeg.AsMemory(0, length), PictureLimits.Default));
    }

    [Fact]
    public void Rejects_a_png_cut_at_any_byte()
    {
        byte[] png = TestPictures.Png(2, 2, 8, 2, new byte[12]);
        for (int length = 0; length < png.Length; length++)
            Assert.Throws<InvalidDataException>(() => PictureFile.Parse(png.AsMemory(0, length), PictureLimits.Default));
    }

    [Fact]
    public void Rejects_too_many_scans()
    {
        byte[] jpeg = File.ReadAllBytes(TestPictures.Fixture("flat-progressive.jpg"));
        var e = Assert.Throws<InvalidDataException>(() => PictureFile.Parse(jpeg, new PictureLimits { MaxScans = 3 }));
        Assert.Contains("more than 3 scans", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Found by the fuzzer: libjpeg ends the process there.</summary>
    [Fact]
    public void Rejects_a_scan_behind_the_one_that_holds_all_channels()
    {
        byte[] jpeg = File.ReadAllBytes(TestPictures.Fixture("flat.jpg"));
        int scan = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]);
        byte[] twice = [.. jpeg[..^2], .. jpeg[scan..]];
        Assert.Contains("behind the one that holds all channels", Assert.Throws<InvalidDataException>(() => PictureFile.Parse(twice, PictureLimits.Default)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_cmyk()
    {
        var e = Assert.Throws<SamCompressException>(() => PictureFile.Read(TestPictures.Fixture("flat-cmyk.jpg"), PictureLimits.Default));
        Assert.Contains("CMYK", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_a_broken_huffman_table()
    {
        byte[] jpeg = File.ReadAllBytes(TestPictures.Fixture("flat.jpg"));
        int table = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC4]);
        jpeg[table + 5] = 3;
        var e = Assert.Throws<InvalidDataException>(() => PictureFile.Parse(jpeg, PictureLimits.Default));
        Assert.Contains("too many codes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_a_scan_without_its_tables()
    {
        byte[] jpeg = File.ReadAllBytes(TestPictures.Fixture("flat.jpg"));
        int table = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xDB]);
        jpeg[table + 1] = 0xFE;
        var e = Assert.Throws<InvalidDataException>(() => PictureFile.Parse(jpeg, PictureLimits.Default));
        Assert.Contains("table that is not there", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(255)]
    public void Takes_a_nonsensical_orientation_for_none(int orientation) =>
        Assert.Equal(1, PictureFile.Parse(TestPictures.JpegWithOrientation(orientation), PictureLimits.Default).Orientation);

    [Fact]
    public void Survives_any_cut_of_exif_data()
    {
        byte[] exif = TestPictures.Exif(6, isLittle: true);
        Assert.Equal(6, ExifOrientation.Read(exif));
        for (int length = 0; length < exif.Length; length++)
            Assert.InRange(ExifOrientation.Read(exif.AsSpan(0, length)), 1, 8);
    }

    private void Rejects(string message, ReadOnlySpan<byte> bytes)
    {
        string path = Path.Combine(_directory.FullName, "bad.png");
        File.WriteAllBytes(path, bytes);
        var e = Assert.Throws<SamCompressException>(() => PictureFile.Read(path, PictureLimits.Default));
        Assert.Equal(FailureKind.InputRejected, e.Kind);
        Assert.StartsWith("bad.png: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }
}
