using SamCompress.Runtime.Images;

namespace SamCompress.Runtime.Tests.Images;

public sealed class PngEncoderTests
{
    [Fact]
    public void What_is_written_is_read_back_bit_for_bit()
    {
        byte[] pixels = [255, 0, 0, 0, 254, 0, 0, 0, 253, 1, 2, 3, 40, 50, 60, 255, 255, 255];
        using var encoder = new PngEncoder();
        string path = Path.Combine(Directory.CreateTempSubdirectory("samcompress-tests-").FullName, "a.png");
        File.WriteAllBytes(path, encoder.Encode(new Raster(3, 2, pixels)));
        using var loader = new ImageLoader(null);
        using DecodedImage image = loader.Decode(path);
        Assert.Equal((3, 2), (image.Width, image.Height));
        Assert.Equal(pixels, Raster.Of(image).Pixels);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }
}
