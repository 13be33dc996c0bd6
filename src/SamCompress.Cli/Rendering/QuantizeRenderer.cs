using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Rendering;

/// <summary>The result of <c>quantize</c> in a few lines.</summary>
internal static class QuantizeRenderer
{
    /// <summary>The report has all of them.</summary>
    private const int MostWarnings = 10;

    public static void Write(CompressionReport report, TextWriter writer)
    {
        if (report.Slimming is { } slimming)
            SlimmingText.Write(slimming, writer);
        foreach (ReportedRewrite rewrite in report.Rewrites ?? [])
            Write(rewrite, writer);
        if (report.Options.GetValueOrDefault("precision") is "fp16" or "fp32")
            writer.WriteLine($"converted  weights to {report.Options["precision"]}");
        else
            writer.WriteLine($"{(report.Artifact is null ? "planned  " : "quantized")}  {Layers(report.Layers, isPlan: report.Artifact is null)} to int8, {Calibration(report)}");
        if (report.Artifact is { } artifact)
            writer.WriteLine($"size       {Quantity.Bytes(report.Model.Bytes)} -> {Quantity.Bytes(artifact.Bytes)}, ratio {Number(report.SizeRatio!.Value, "F3")}");
        if (report.Preprocessing is { } preprocessing)
            writer.WriteLine($"embedded   {PreprocessingText.Line(preprocessing)}");
        if (report.Quality is { } quality)
            writer.WriteLine($"masks      {Quality(quality)}");
        else if (report.Artifact is not null)
            writer.WriteLine("masks      not measured: no pictures were given, only statistics");
        if (report.MixedPrecision is { } mixed)
            writer.WriteLine($"mixed      {MixedPrecisionText.Line(mixed)}");
        if (report.Decoder is { } decoder)
            Write(decoder, writer);
        if (report.Speed is { } speed)
            writer.WriteLine($"speed      {Speed(speed)}");
        if (report.Quantizers is not null)
            writer.WriteLine(QuantizerText.Line(report));
        foreach (ReportedGate gate in report.Gates)
            writer.WriteLine(GateText.Line(gate));
        foreach (Diagnostic warning in report.Diagnostics.Where(d => d.Severity != Severity.Info).Take(MostWarnings))
            writer.WriteLine($"warning    {SafeText.Of(warning.Where)}: {SafeText.Line(warning.Message)} ({warning.Id})");
        if (report.Files.Count > 0)
            writer.WriteLine($"written    {string.Join(", ", report.Files.Select(SafeText.Line))} in {Quantity.Seconds(report.Seconds)}");
    }

    private static void Write(ReportedRewrite rewrite, TextWriter writer)
    {
        writer.WriteLine($"rewritten  {rewrite.What}: {RewriteText.Blocks(rewrite.Attentions)}; MACs {RewriteText.Macs(rewrite.MacsBefore, rewrite.MacsAfter)}");
        if (rewrite.Repair is { } repair)
            writer.WriteLine($"repair     {RewriteText.Repair(repair)}");
        if (rewrite.Quality is { } quality)
            writer.WriteLine($"so far     {Quality(quality)}");
    }

    private static void Write(ReportedDecoder decoder, TextWriter writer)
    {
        writer.WriteLine($"decoder    {Layers(decoder.Layers, isPlan: false)} to int8, {decoder.Prompts} prompts; {Quantity.Bytes(decoder.Model.Bytes)} -> {Quantity.Bytes(decoder.Artifact.Bytes)}; "
            + $"{Number(decoder.Speed.TeacherMilliseconds, "F1")} ms -> {Number(decoder.Speed.StudentMilliseconds, "F1")} ms a prompt");
        writer.WriteLine($"both       {Quality(decoder.Quality)}");
    }

    private static string Layers(IReadOnlyList<ReportedLayer> layers, bool isPlan)
    {
        IEnumerable<string> kinds = layers.GroupBy(l => l.Kind).OrderBy(g => g.Key)
            .Select(g => $"{g.Count(l => isPlan ? l.Execution != LayerExecution.Float : l.IntegerKernel)} of {g.Count()} {g.Key}");
        return string.Join(", ", kinds);
    }

    private static string Calibration(CompressionReport report) => report.Calibration is not { } calibration
        ? "without calibration"
        : $"{calibration.Method} on {calibration.Pictures} pictures{(calibration.FromCache ? " (from the cache)" : "")}";

    internal static string Speed(ReportedSpeed speed) =>
        $"{Number(speed.TeacherMilliseconds, "F1")} ms -> {Number(speed.StudentMilliseconds, "F1")} ms on {speed.Device}, {Number(speed.Ratio, "F2")} times as fast{(speed.Ratio < 1 ? ": SLOWER on this machine" : "")}";

    internal static string Quality(ReportedQuality quality)
    {
        string pictures = $"{quality.Pictures} {(quality.HeldOut ? "held-out" : "calibration")} pictures";
        return quality.MeanIou is { } mean
            ? $"mean IoU {Number(mean, "F4")} against the FP32 model, 5th percentile {Number(quality.P5Iou ?? double.NaN, "F4")}, on {pictures}"
            : $"not measured ({quality.Note}); embedding cosine {Number(quality.EmbeddingCosine, "F5")} on {pictures}";
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
