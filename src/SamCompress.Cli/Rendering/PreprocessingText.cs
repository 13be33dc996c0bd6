using System.Globalization;
using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering;

/// <summary>Preprocessing that was embedded, in one line.</summary>
internal static class PreprocessingText
{
    public static string Line(ReportedPreprocessing preprocessing) => string.Create(
        CultureInfo.InvariantCulture,
        $"the encoder takes {(preprocessing.Takes == "file" ? "the bytes of a JPEG or PNG file" : "RGB pixels of any size")}; its embeddings differ by {preprocessing.LargestDifference:G2} at most, on {preprocessing.Pictures} pictures");
}
