using System.Security.Cryptography;
using SamCompress.IR;

namespace SamCompress.Runtime.Images;

/// <summary>What is refused before a picture is decoded.</summary>
public sealed record PictureLimits
{
    public static PictureLimits Default { get; } = new();

    public long MaxFileBytes { get; init; } = 256L << 20;

    /// <summary>Three bytes each once decoded.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>Chunks of a PNG, segments of a JPEG.</summary>
    public int MaxChunks { get; init; } = 65_536;

    /// <summary>A progressive JPEG costs one pass over the picture for each scan.</summary>
    public int MaxScans { get; init; } = 100;
}

/// <summary>The size and kind of a picture, and its file reduced to what a decoder needs: no metadata, no colour profile, no text.</summary>
/// <param name="Width">As stored, before <paramref name="Orientation"/> is applied.</param>
/// <param name="Orientation">The EXIF orientation, 1 to 8.</param>
/// <param name="Encoded">The bytes for the decoder.</param>
/// <param name="Remarks">What was done to the picture that its owner may not expect, as short phrases.</param>
internal sealed record PictureFile(int Width, int Height, int Orientation, byte[] Encoded, IReadOnlyList<string> Remarks)
{
    /// <summary>Of the whole file; empty when it was not read from one.</summary>
    public string Sha256 { get; private init; } = "";

    /// <summary>Reads and checks a file up to its last marker, so that a decoder meets nothing that is cut or too big.</summary>
    /// <exception cref="SamCompressException">Missing, no JPEG or PNG, malformed, cut, or over a limit.</exception>
    public static PictureFile Read(string path, PictureLimits limits)
    {
        byte[] bytes = ReadBytes(path, limits);
        try
        {
            PictureFile picture = Parse(bytes, limits);
            bool isPng = PngReader.IsPng(bytes);
            string extension = Path.GetExtension(path).ToLowerInvariant();
            if (isPng ? extension is ".jpg" or ".jpeg" : extension == ".png")
                picture = picture with { Remarks = [.. picture.Remarks, $"is a {(isPng ? "PNG" : "JPEG")} in spite of its name"] };
            return picture with { Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)) };
        }
        catch (InvalidDataException e)
        {
            throw Rejected(path, e.Message, e);
        }
    }

    /// <exception cref="InvalidDataException">Malformed or over a limit; the message says what.</exception>
    internal static PictureFile Parse(ReadOnlyMemory<byte> bytes, PictureLimits limits)
    {
        if (PngReader.IsPng(bytes.Span))
            return PngReader.Read(bytes, limits);
        if (JpegReader.IsJpeg(bytes.Span))
            return JpegReader.Read(bytes, limits);
        throw new InvalidDataException(bytes.Span.StartsWith("version https://git-lfs"u8)
            ? "is a Git LFS pointer, not a picture: run git lfs pull"
            : "is neither a JPEG nor a PNG picture");
    }

    internal static SamCompressException Rejected(string path, string what, Exception? inner = null) =>
        new(FailureKind.InputRejected, $"{SafeText.Of(Path.GetFileName(path))}: {what}", innerException: inner) { Location = path };

    /// <exception cref="InvalidDataException">No pixel, or too many.</exception>
    internal static void CheckSize(long width, long height, PictureLimits limits)
    {
        if (width <= 0 || height <= 0)
            throw new InvalidDataException($"has no pixels: {width} x {height}");
        if (width > limits.MaxPixels / height)
            throw new InvalidDataException($"has {width} x {height} pixels; the limit is {limits.MaxPixels}");
    }

    private static byte[] ReadBytes(string path, PictureLimits limits)
    {
        try
        {
            if (Directory.Exists(path))
                throw Rejected(path, "is a directory");
            var file = new FileInfo(path);
            if (!file.Exists)
                throw Rejected(path, "not found");
            // A pipe or a device has no length, and reading one may never end.
            if (file.Length == 0)
                throw Rejected(path, "is empty or no regular file");
            if (file.Length > limits.MaxFileBytes)
                throw Rejected(path, $"has {file.Length} bytes; the limit is {limits.MaxFileBytes}");
            using FileStream stream = file.OpenRead();
            var bytes = new byte[file.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Rejected(path, $"cannot be read: {SafeText.Of(e.Message)}", e);
        }
    }
}
