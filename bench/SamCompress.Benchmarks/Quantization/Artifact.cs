using System.Text.Json;

namespace SamCompress.Benchmarks.Quantization;

/// <summary>What <c>samcompress quantize</c> made of a model.</summary>
/// <param name="Original">The float encoder.</param>
/// <param name="File">The quantized one.</param>
/// <param name="Execution">How it was made; its result is the report.</param>
internal sealed record Artifact(string Original, string File, Execution Execution)
{
    public JsonElement Report => Execution.Result;

    /// <summary>The quantized decoder, or null when it was left as it is.</summary>
    public string? Decoder =>
        Report.GetProperty("decoder") is { ValueKind: JsonValueKind.Object } decoder ? Path.Combine(Path.GetDirectoryName(File)!, decoder.GetProperty("files")[0].GetString()!) : null;

    public IReadOnlyList<JsonElement> Layers => [.. Report.GetProperty("layers").EnumerateArray()];

    /// <summary>Bytes of the files that were made, as a part of those they were made from.</summary>
    public double SizeRatio => (Report.Number("artifact", "bytes") + DecoderBytes("artifact")) / (Report.Number("model", "bytes") + DecoderBytes("model"));

    /// <summary>Seconds of the stages that decide, between observing and writing.</summary>
    public double SearchSeconds => Report.GetProperty("stages").EnumerateArray()
        .SkipWhile(s => !Name(s).StartsWith("calibrate", StringComparison.Ordinal))
        .TakeWhile(s => Name(s) != "write")
        .Where(s => !Name(s).StartsWith("calibrate", StringComparison.Ordinal))
        .Sum(s => s.Number("seconds"));

    private double DecoderBytes(string model) => Decoder is null ? 0 : Report.Number("decoder", model, "bytes");

    private static string Name(JsonElement stage) => stage.GetProperty("name").GetString()!;
}

/// <summary>Figures of a report.</summary>
internal static class ReportFigures
{
    /// <summary>A number deep inside, or NaN where the report has none because it was not measured.</summary>
    /// <exception cref="KeyNotFoundException">The report has no such property.</exception>
    public static double Number(this JsonElement element, params IEnumerable<string> path)
    {
        JsonElement value = path.Aggregate(element, (e, name) => e.GetProperty(name));
        return value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble();
    }
}
