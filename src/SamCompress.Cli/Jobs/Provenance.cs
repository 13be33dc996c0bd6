using System.Security.Cryptography;
using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Jobs;

/// <summary>Says in an artifact's metadata what it was made of: hashes, and no time or place, so that equal inputs give equal bytes.</summary>
internal static class Provenance
{
    /// <param name="sourceHash">Of the model that it was made from.</param>
    public static void Set(Model model, string sourceHash, CalibrationStatistics statistics, QuantizeOptions options)
    {
        Entry("version", CommandLine.Version);
        Entry("source-sha256", sourceHash);
        Entry("source-producer", $"{model.ProducerName} {model.ProducerVersion}".Trim() is { Length: > 0 } producer ? SafeText.Of(producer) : null);
        bool isCalibrated = statistics.Values.Count > 0;
        Entry("calibration-set-sha256", isCalibrated ? statistics.PictureSetHash : null);
        Entry("calibration-sha256", isCalibrated ? HashOf(statistics) : null);
        Entry("options-sha256", ReportedOptions.HashOf(options));

        void Entry(string key, string? value) => model.SetMetadata(QuantizePass.MetadataPrefix + key, value);
    }

    /// <summary>Of the statistics as <c>--calibration-cache</c> writes them.</summary>
    private static string HashOf(CalibrationStatistics statistics)
    {
        using var bytes = new MemoryStream();
        CalibrationCache.Write(statistics, bytes);
        return Convert.ToHexStringLower(SHA256.HashData(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)));
    }
}
