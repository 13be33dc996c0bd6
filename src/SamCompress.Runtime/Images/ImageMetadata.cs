using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Images.Embedded;

namespace SamCompress.Runtime.Images;

/// <summary>
/// Says in an encoder's metadata what pictures it takes, with the keys that ONNX names for it (docs/MetadataProps.md of ONNX). These know no mean and no
/// deviation: where the caller normalizes, the range is that before, and both stand in keys of ours.
/// </summary>
public static class ImageMetadata
{
    public const string PixelFormat = "Image.BitmapPixelFormat";
    public const string Gamma = "Image.ColorSpaceGamma";
    public const string Range = "Image.NominalPixelRange";
    public const string Mean = QuantizePass.MetadataPrefix + "input-mean";
    public const string Std = QuantizePass.MetadataPrefix + "input-std";
    public const string Preprocessing = QuantizePass.MetadataPrefix + "preprocessing";

    /// <param name="form">Null when the caller preprocesses.</param>
    public static void Set(Model encoder, PictureForm? form)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        encoder.SetMetadata(PixelFormat, "Rgb8");
        encoder.SetMetadata(Gamma, "SRGB");
        encoder.SetMetadata(Range, "NominalRange_0_255");
        encoder.SetMetadata(Mean, form is null ? Joined(Images.Preprocessing.MeanOfSam) : null);
        encoder.SetMetadata(Std, form is null ? Joined(Images.Preprocessing.StdOfSam) : null);
        encoder.SetMetadata(Preprocessing, form?.ToString().ToLowerInvariant());
    }

    private static string Joined(IReadOnlyList<float> numbers) => string.Join(',', numbers.Select(n => n.ToString(CultureInfo.InvariantCulture)));
}
