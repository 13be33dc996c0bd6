using SamCompress.Cli.Tests;
using SamCompress.IR;
using SamCompress.Runtime.Tests.Images;
using SamCompress.Testing;

namespace SamCompress.Reliability.Tests;

/// <summary>An image encoder of one convolution, and pictures: enough to come to every stage of quantization in no time.</summary>
internal static class Tiny
{
    public const int Side = 32;

    public static string Nano => Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");

    public static string NanoDecoder => Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "decoder.onnx");

    /// <summary>float[1,3,32,32] to float[1,8,16,16].</summary>
    public static string Encoder => $$"""
        agraph (float[1,3,32,32] image) => (float[1,8,16,16] embedding)
        <float[8,3,2,2] W = { {{Weights}} }, float[8] B = {0, 0, 0, 0, 0, 0, 0, 0}>
        { embedding = Conv<kernel_shape = [2, 2], strides = [2, 2]>(image, W, B) }
        """;

    /// <summary>The same for pictures of any size.</summary>
    public static string FreeEncoder => Encoder.Replace("[1,3,32,32]", "[N,3,H,W]", StringComparison.Ordinal).Replace("[1,8,16,16]", "[N,8,h,w]", StringComparison.Ordinal);

    public static string QuantizedEncoder => $$"""
        agraph (float[1,3,32,32] image) => (float[1,8,16,16] embedding)
        <int8[8,3,2,2] Q = { {{string.Join(", ", Enumerable.Range(-48, 96))}} }, float S = {0.01}>
        { W = DequantizeLinear(Q, S) embedding = Conv<kernel_shape = [2, 2], strides = [2, 2]>(image, W) }
        """;

    private static string Weights => string.Join(", ", Enumerable.Range(0, 96).Select(i => FormattableString.Invariant($"{(((i * 37) % 97) - 48) / 48.0:F6}")));

    public static string[] Quantize(TemporaryDirectory directory, string model, params string[] options) => Quantize(directory, Text(model), options);

    /// <summary>Quantizes a model on two pictures.</summary>
    public static string[] Quantize(TemporaryDirectory directory, byte[] model, params string[] options)
    {
        Picture(directory, "pictures/a.png");
        Picture(directory, "pictures/b.png");
        return
        [
            "quantize", Files.Bytes(directory, "model.onnx", model), "-o", directory.File("out.onnx"), "-q",
            .. options.Contains("--calibration-data") ? [] : (string[])["--calibration-data", directory.File("pictures")], .. options,
        ];
    }

    /// <summary>Quantizes <see cref="Encoder"/> on what the caller has put into the folder.</summary>
    public static string[] QuantizeOn(TemporaryDirectory directory, string pictures, params string[] options) =>
        ["quantize", Files.Bytes(directory, "model.onnx", Text(Encoder)), "-o", directory.File("out.onnx"), "-q", "--calibration-data", directory.File(pictures), .. options];

    /// <summary>A picture of 4 x 4 pixels.</summary>
    public static string Picture(TemporaryDirectory directory, string name) =>
        Files.Bytes(directory, name, TestPictures.Png(4, 4, 8, 2, [.. Enumerable.Range(0, 48).Select(i => (byte)(i * 5))]));

    public static byte[] Text(string model)
    {
        using Model parsed = ModelText.Parse(model, opset: 17);
        return OnnxWriter.Serialize(parsed);
    }
}
