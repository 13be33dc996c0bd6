using System.Buffers.Binary;
using SamCompress.Cli.Tests;
using SamCompress.Runtime.Tests.Images;

namespace SamCompress.Reliability.Tests.Attacks;

/// <summary>Calibration data: none, too little, damaged, too big, unusual; and statistics that are not of this model.</summary>
internal static class PictureAttacks
{
    public static IEnumerable<Attack> All => [.. Sets, .. Damaged, .. Bombs, .. Unusual, .. Caches];

    private static IEnumerable<Attack> Sets =>
    [
        Attack.Of("pictures-01", "an empty folder", d => Tiny.QuantizeOn(d, Directory.CreateDirectory(d.File("p")).Name), "/p: ", "holds no picture"),
        Attack.Of("pictures-01", "a folder that is not there", d => Tiny.QuantizeOn(d, "p"), "/p: ", "not found"),
        Attack.Of("pictures-01", "a folder of texts", d => Tiny.QuantizeOn(d, Folder(d, ("p/a.txt", [.. "a"u8]))), "/p: ", "holds no picture", ".png"),
        Attack.Of("pictures-01", "fewer pictures than samples", d => Tiny.QuantizeOn(d, Folder(d, ("p/a.png", Png())), "--samples", "3"), "holds 1 pictures, 3 are wanted"),
        Attack.Of("pictures-01", "fewer pictures than samples, with --allow-fewer", d => Tiny.QuantizeOn(d, Folder(d, ("p/a.png", Png())), "--samples", "3", "--allow-fewer")) with { ExitCodes = [0, 1] },
        Attack.Of("pictures-01", "a list that names what is not there", d => Tiny.QuantizeOn(d, Folder(d, ("p/list.txt", [.. "gone.png"u8])) + "/list.txt"), "list.txt", "gone.png"),
        Attack.Of("pictures-01", "a list that is a pipe", d => Tiny.QuantizeOn(d, Path.GetFileName(Files.Pipe(d, "list.txt"))), "list.txt", "not a regular file"),
        Attack.Of("pictures-01", "a list of control characters", d => Tiny.QuantizeOn(d, Folder(d, ("p/list.txt", [.. "\u001b[2J\0x.png"u8])) + "/list.txt"), "list.txt", "names a picture that is not there"),
        Attack.Of("pictures-01", "a pattern that matches nothing", d => Tiny.QuantizeOn(d, "*.png"), "*.png", "holds no picture"),
        Attack.Of("pictures-01", "a device", d => [.. Tiny.QuantizeOn(d, "x")[..^1], "/dev/zero"], "/dev/zero", "not a regular file"),
        Attack.Of("pictures-01", "a pipe among pictures", d =>
        {
            Tiny.Picture(d, "p/a.png");
            Files.Pipe(d, "p/b.png");
            return Tiny.QuantizeOn(d, "p");
        }, "b.png", "regular file"),
        Attack.Of("pictures-01", "a decoder that is a pipe", d => Tiny.Quantize(d, Tiny.Encoder, "--decoder", Files.Pipe(d, "decoder.onnx")), "decoder.onnx", "not a regular file"),
        Attack.Of("pictures-01", "an encoder of a decoder that is a pipe", d => ["quantize", Tiny.NanoDecoder, "--encoder", Files.Pipe(d, "encoder.onnx"), "-o", d.File("out.onnx"), "-q"], "encoder.onnx", "not a regular file"),
        Attack.Of("pictures-01", "folders in a circle", d =>
        {
            Directory.CreateDirectory(d.File("p"));
            Directory.CreateSymbolicLink(d.File("p/again"), d.File("p"));
            return Tiny.QuantizeOn(d, "p");
        }, "/p: ", "holds no picture"),
        Attack.Of("pictures-01", "no pictures for a model of the user's own", d => ["quantize", Files.Bytes(d, "model.onnx", Tiny.Text(Tiny.Encoder)), "-o", d.File("out.onnx"), "-q"], "--calibration-data") with { ExitCodes = [2] },
    ];

    private static IEnumerable<Attack> Damaged =>
    [
        Attack.Of("pictures-02", "one damaged among good ones", d => Tiny.QuantizeOn(d, Folder(d, ("p/a.png", Png()), ("p/b.png", [.. "no picture"u8]), ("p/c.png", Png())), "--samples", "3"), "b.png", "neither a JPEG nor a PNG"),
        Attack.Of("pictures-02", "one damaged among good ones, which may be skipped", d => Tiny.QuantizeOn(d, Folder(d, ("p/a.png", Png()), ("p/b.png", [.. "no picture"u8]), ("p/c.png", Png())), "--samples", "3", "--skip-bad-images", "1", "--format", "json"), "\"b.png\"") with { ExitCodes = [0, 1] },
        Attack.Of("pictures-02", "more damaged than may be skipped", d => Tiny.QuantizeOn(d, Folder(d, ("p/a.png", Png()), ("p/b.png", [.. "x"u8]), ("p/c.png", [.. "x"u8])), "--samples", "3", "--skip-bad-images", "1"), "c.png"),
        Bad("an empty picture", "a.png", [], "a.png", "is empty"),
        Bad("a Git LFS pointer", "a.jpg", [.. "version https://git-lfs.github.com/spec/v1"u8], "a.jpg", "Git LFS pointer"),
        Bad("a PNG that is cut", "a.png", Png()[..40], "a.png", "is cut"),
        Bad("a PNG with a wrong checksum", "a.png", Changed(Png(), 29), "a.png", "wrong checksum"),
        Bad("a PNG without data", "a.png", TestPictures.Png(("IHDR", Header(4, 4)), ("IEND", [])), "a.png", "no picture data"),
        Bad("a PNG whose data does not unpack", "a.png", TestPictures.Png(("IHDR", Header(4, 4)), ("IDAT", [1, 2, 3]), ("IEND", [])), "a.png"),
        Bad("a PNG with less data than pixels", "a.png", TestPictures.Png(4, 1, 8, 2, new byte[12]) is var png ? Resized(png, 4, 400) : [], "a.png"),
    ];

    private static IEnumerable<Attack> Bombs =>
    [
        Bomb("a PNG of 65535 x 65535", TestPictures.Png(("IHDR", Header(65535, 65535)), ("IDAT", [0]), ("IEND", [])), "65535 x 65535 pixels"),
        Bomb("a PNG of 2^31 - 1 columns", TestPictures.Png(("IHDR", Header(int.MaxValue, 1)), ("IDAT", [0]), ("IEND", [])), "2147483647 x 1 pixels"),
        Bomb("a PNG without rows", TestPictures.Png(("IHDR", Header(4, 0)), ("IDAT", [0]), ("IEND", [])), "has no pixels"),
        Bomb("a PNG of 70,000 chunks", TestPictures.Png([("IHDR", Header(4, 4)), .. Enumerable.Repeat(("tEXt", new byte[1]), 70_000), ("IEND", [])]), "more than 65536 chunks"),
        Bomb("an animated PNG of 10,000 frames", TestPictures.Png(("IHDR", Header(4, 4)), ("acTL", [0, 0, 0x27, 0x10, 0, 0, 0, 0]), ("IDAT", [0]), ("IEND", [])), "animated PNG"),
        Bomb("a chunk that claims 4 GB", Claimed(), "claims 4294967295 bytes"),
        Attack.Of("pictures-03", "a profile that would unpack to much", d => Tiny.QuantizeOn(d, Folder(d, ("p/a.png", TestPictures.Png(4, 4, 8, 2, new byte[48], ("iCCP", new byte[1 << 20]), ("zTXt", new byte[1 << 20])))), "--samples", "1")) with { ExitCodes = [0, 1] },
        Bad("a JPEG that is cut", "a.jpg", File.ReadAllBytes(TestPictures.Fixture("flat.jpg"))[..200], "a.jpg", "is cut") with { Row = "pictures-04" },
        Bad("a JPEG of 101 scans", "a.jpg", Scans(101), "a.jpg", "scan") with { Row = "pictures-04" },
        Bad("a JPEG of 10,000 scans", "a.jpg", Scans(10_000), "a.jpg", "scan") with { Row = "pictures-04" },
        Bad("a JPEG with a broken Huffman table", "a.jpg", Broken(), "a.jpg", "Huffman table") with { Row = "pictures-04" },
        Bad("a JPEG of nothing but its first marker", "a.jpg", [0xFF, 0xD8, 0xFF], "a.jpg") with { Row = "pictures-04" },
        Bad("a JPEG without a frame", "a.jpg", [0xFF, 0xD8, 0xFF, 0xD9], "a.jpg", "no picture data") with { Row = "pictures-04" },
    ];

    private static IEnumerable<Attack> Unusual =>
    [
        Fine("grey", "a.png", TestPictures.Png(4, 4, 8, 0, new byte[16])),
        Fine("grey of 16 bits", "a.png", TestPictures.Png(4, 4, 16, 0, new byte[32])),
        Fine("alpha", "a.png", TestPictures.Png(4, 4, 8, 6, new byte[64])),
        Fine("one pixel", "a.png", TestPictures.Png(1, 1, 8, 2, new byte[3])),
        Fine("1 x 10,000", "a.png", TestPictures.Png(1, 10_000, 8, 2, new byte[30_000])),
        Fine("turned by EXIF", "a.jpg", TestPictures.JpegWithOrientation(6)),
        Fine("a PNG named .jpg", "a.jpg", Png()),
        Bad("a JPEG of four channels", "a.jpg", FourChannels(), "a.jpg") with { Row = "pictures-05" },
    ];

    private static IEnumerable<Attack> Caches =>
    [
        Cache("of another model", Statistics(hash: "0000"), "made from another model"),
        Cache("that is empty", "", "calibration cache"),
        Cache("that is cut", Statistics()[..90], "not a complete JSON file (line 1"),
        Cache("that is no object", "[1, 2]", "not a calibration cache"),
        Cache("of another format", "{\"format\": \"tensorrt\"}", "not a calibration cache"),
        Cache("of a later version", Statistics().Replace("\"version\":2", "\"version\":99", StringComparison.Ordinal), "format version 99"),
        Cache("without a version", Statistics().Replace("\"version\":2,", "", StringComparison.Ordinal), "calibration cache"),
        Cache("with NaN", Statistics().Replace("\"pictureCount\":2", "\"pictureCount\":NaN", StringComparison.Ordinal), "not a complete JSON file"),
        Cache("with a number that is none", Statistics("""{"name":"image","channelAxis":-1,"channelMin":[1e999],"channelMax":[1],"channelMean":[0],"pictureMin":[0,0],"pictureMax":[1,1],"binWidthExponent":-4,"firstBin":0,"zeros":0,"counts":[1]}"""), "calibration cache"),
        Cache("with a minimum over the maximum", Statistics("""{"name":"image","channelAxis":-1,"channelMin":[9],"channelMax":[1],"channelMean":[0],"pictureMin":[9,81],"pictureMax":[1,1],"binWidthExponent":-4,"firstBin":0,"zeros":0,"counts":[1]}"""), "calibration cache"),
        Cache("with a negative count", Statistics("""{"name":"image","channelAxis":-1,"channelMin":[0],"channelMax":[1],"channelMean":[0],"pictureMin":[0,0],"pictureMax":[1,1],"binWidthExponent":-4,"firstBin":0,"zeros":0,"counts":[-5]}"""), "calibration cache"),
        Cache("of no pictures", Statistics().Replace("\"pictureCount\":2", "\"pictureCount\":0", StringComparison.Ordinal), "0 pictures"),
        Cache("nested 100,000 deep", new string('[', 100_000), "calibration cache"),
        Cache("with text instead of values", Statistics().Replace("\"values\":[]", "\"values\":\"all\"", StringComparison.Ordinal), "calibration cache"),
        Attack.Of("pictures-06", "a cache that is a pipe", d => Tiny.Quantize(d, Tiny.Encoder, "--calibration-cache", Files.Pipe(d, "cache.json")), "cache.json", "not a regular file"),
        Attack.Of("pictures-06", "a cache that is a folder", d => Tiny.Quantize(d, Tiny.Encoder, "--calibration-cache", Directory.CreateDirectory(d.File("cache.json")).FullName), "cache.json", "directory") with { ExitCodes = [3, 5] },
    ];

    private static byte[] Png() => TestPictures.Png(4, 4, 8, 2, [.. Enumerable.Range(0, 48).Select(i => (byte)(i * 5))]);

    private static string Folder(TemporaryDirectory directory, params (string Name, byte[] Bytes)[] files)
    {
        foreach ((string name, byte[] bytes) in files)
            Files.Bytes(directory, name, bytes);
        return Path.GetDirectoryName(files[0].Name)!;
    }

    private static Attack Bad(string name, string file, byte[] bytes, params string[] says) =>
        Attack.Of("pictures-02", name, d => Tiny.QuantizeOn(d, Folder(d, ("p/" + file, bytes)), "--samples", "1"), says);

    private static Attack Bomb(string name, byte[] bytes, params string[] says) => Bad(name, "a.png", bytes, ["a.png", .. says]) with { Row = "pictures-03" };

    private static Attack Fine(string name, string file, byte[] bytes) =>
        Attack.Of("pictures-05", name, d => Tiny.QuantizeOn(d, Folder(d, ("p/" + file, bytes)), "--samples", "1")) with { ExitCodes = [0, 1] };

    private static Attack Cache(string name, string json, params string[] says) =>
        Attack.Of("pictures-06", "a cache " + name, d => Tiny.Quantize(d, Tiny.Encoder, "--calibration-cache", d.Write("cache.json", json)), ["cache.json", .. says]);

    private static string Statistics(string values = "", string hash = "00") =>
        $$"""{"format":"samcompress-calibration","version":2,"toolVersion":"{{Cli.CommandLine.Version}}","modelHash":"{{hash}}","pictureSetHash":"","pictureCount":2,"preparation":"","beforeEqualization":[],"values":[{{values}}]}""";

    private static byte[] Header(int width, int height)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        return header;
    }

    private static byte[] Changed(byte[] bytes, int place)
    {
        bytes[place] ^= 0xFF;
        return bytes;
    }

    /// <summary>The data of one picture under the header of a larger one.</summary>
    private static byte[] Resized(byte[] png, int width, int height)
    {
        const int DataStart = 8 + 25 + 8;
        int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(8 + 25));
        return TestPictures.Png(("IHDR", Header(width, height)), ("IDAT", png[DataStart..(DataStart + length)]), ("IEND", []));
    }

    private static byte[] Claimed() => [.. TestPictures.Png(("IHDR", Header(4, 4)))[..33], 0xFF, 0xFF, 0xFF, 0xFF, .. "IDAT"u8, 0, 0, 0, 0];

    /// <summary>The flat JPEG with its scan repeated.</summary>
    private static byte[] Scans(int count)
    {
        byte[] jpeg = File.ReadAllBytes(TestPictures.Fixture("flat.jpg"));
        int scan = jpeg.AsSpan().LastIndexOf([(byte)0xFF, (byte)0xDA]);
        return [.. jpeg[..scan], .. Wire.Repeat(count, jpeg[scan..^2]), 0xFF, 0xD9];
    }

    private static byte[] Broken()
    {
        byte[] jpeg = File.ReadAllBytes(TestPictures.Fixture("flat.jpg"));
        int table = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC4]);
        jpeg[table + 5] = 255;
        return jpeg;
    }

    /// <summary>The flat JPEG with a header that claims four components.</summary>
    private static byte[] FourChannels()
    {
        byte[] jpeg = File.ReadAllBytes(TestPictures.Fixture("flat.jpg"));
        int frame = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]);
        byte[] header = [.. jpeg[frame..(frame + 19)], 4, 0x11, 0];
        header[3] += 3;
        header[9] = 4;
        return [.. jpeg[..frame], .. header, .. jpeg[(frame + 19)..]];
    }
}
