using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.IR;

namespace SamCompress.Cli.Rendering;

/// <summary>The result of <c>sensitivity</c> as a table, the most sensitive layer on top.</summary>
internal static class SensitivityRenderer
{
    public static void Write(SensitivityReport report, TextWriter writer)
    {
        if (report.Layers.Count == 0)
        {
            writer.WriteLine("no layer can be quantized");
            return;
        }

        writer.WriteLine($"{"IoU loss",9} {"SQNR dB",8} {"MACs",9} {"weights",9}  layer that alone is quantized");
        foreach (MeasuredLayer layer in report.Layers)
        {
            writer.WriteLine(
                $"{Number(layer.IouLoss, "F5"),9} {Number(layer.EmbeddingSqnr, "F1"),8} {(layer.Macs is { } macs ? Quantity.Count(macs) : "-"),9} {Quantity.Count(layer.Parameters),9}  {SafeText.Of(layer.Name)}");
        }

        writer.WriteLine($"{Number(1 - report.MeanIou, "F5"),9} {Number(report.EmbeddingSqnr, "F1"),8} {"",9} {"",9}  all of them, on {report.Pictures} pictures, {report.Masks} masks");
        if (report.Output is { } output)
            writer.WriteLine($"written   {SafeText.Line(output)}, for quantize --exclude-from");
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
