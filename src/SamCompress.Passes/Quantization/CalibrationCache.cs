using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SamCompress.Passes.Quantization.Search;

namespace SamCompress.Passes.Quantization;

/// <summary>
/// Calibration statistics as a JSON file. Numbers are written as the shortest text that reads back as the same bits; rows and second moments, of which there
/// are many, as base64 of their bytes.
/// </summary>
public static class CalibrationCache
{
    private const string Format = "samcompress-calibration";
    private const int Version = 2;

    public static void Write(CalibrationStatistics statistics, Stream destination)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        using var json = new Utf8JsonWriter(destination);
        json.WriteStartObject();
        json.WriteString("format", Format);
        json.WriteNumber("version", Version);
        json.WriteString("toolVersion", statistics.ToolVersion);
        json.WriteString("modelHash", statistics.ModelHash);
        json.WriteString("pictureSetHash", statistics.PictureSetHash);
        json.WriteNumber("pictureCount", statistics.PictureCount);
        json.WriteString("preparation", statistics.Preparation);
        WriteValues(json, "beforeEqualization", statistics.BeforeEqualization);
        WriteValues(json, "values", statistics.Values);
        json.WriteEndObject();
    }

    private static void WriteValues(Utf8JsonWriter json, string property, IReadOnlyList<ValueStatistics> values)
    {
        json.WriteStartArray(property);
        foreach (ValueStatistics value in values)
        {
            WriteValue(json, value);
            json.Flush();
        }

        json.WriteEndArray();
    }

    /// <exception cref="SamCompressException">Not a calibration cache, truncated, or with a number that no calibration gives.</exception>
    public static CalibrationStatistics Read(Stream source, string path)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            using var json = JsonDocument.Parse(source);
            return ReadDocument(json.RootElement);
        }
        catch (JsonException e)
        {
            string place = string.Create(CultureInfo.InvariantCulture, $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}");
            throw Rejected(path, $"not a complete JSON file ({place})", e);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or KeyNotFoundException or ArgumentException or OverflowException)
        {
            throw Rejected(path, e.Message.ReplaceLineEndings(" "), e);
        }
    }

    /// <summary>Refuses statistics of another model, another set of pictures or another version, and says what differs.</summary>
    /// <param name="pictureSetHash">Null when any set of pictures will do.</param>
    /// <param name="preparation">See <see cref="CalibrationStatistics.Preparation"/>.</param>
    /// <exception cref="SamCompressException">Something differs.</exception>
    public static void Validate(CalibrationStatistics statistics, string path, string modelHash, string toolVersion, string? pictureSetHash, string preparation = "")
    {
        ArgumentNullException.ThrowIfNull(statistics);
        if (statistics.ModelHash != modelHash)
            throw Rejected(path, $"made from another model (SHA-256 {Short(statistics.ModelHash)}, this model is {Short(modelHash)})");
        if (statistics.ToolVersion != toolVersion)
            throw Rejected(path, $"made by version {statistics.ToolVersion}, this is version {toolVersion}");
        if (pictureSetHash is not null && statistics.PictureSetHash != pictureSetHash)
            throw Rejected(path, $"made from {statistics.PictureCount} other pictures (set {Short(statistics.PictureSetHash)}, asked for {Short(pictureSetHash)})");
        if (statistics.Preparation != preparation)
            throw Rejected(path, $"made from the model {Said(statistics.Preparation)}, and these options want it {Said(preparation)}");
    }

    private static string Said(string preparation) => preparation.Length > 0 ? preparation : "not equalized";

    private static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;

    private static SamCompressException Rejected(string path, string what, Exception? inner = null) =>
        new(FailureKind.InputRejected, $"calibration cache: {what}", "delete the file to calibrate again", inner) { Location = path };

    private static void WriteValue(Utf8JsonWriter json, ValueStatistics value)
    {
        json.WriteStartObject();
        json.WriteString("name", value.Name);
        json.WriteNumber("channelAxis", value.ChannelAxis);
        WriteArray(json, "channelMin", value.ChannelMin, json.WriteNumberValue);
        WriteArray(json, "channelMax", value.ChannelMax, json.WriteNumberValue);
        WriteArray(json, "channelMean", value.ChannelMean, json.WriteNumberValue);
        WriteArray(json, "pictureMin", [value.PictureMin.Mean, value.PictureMin.MeanSquare], json.WriteNumberValue);
        WriteArray(json, "pictureMax", [value.PictureMax.Mean, value.PictureMax.MeanSquare], json.WriteNumberValue);
        json.WriteNumber("binWidthExponent", value.Histogram.WidthExponent);
        json.WriteNumber("firstBin", value.Histogram.FirstBin);
        json.WriteNumber("zeros", value.Histogram.ZeroCount);
        WriteArray(json, "counts", value.Histogram.Counts.ToArray(), json.WriteNumberValue);
        if (value.Samples is { } samples)
        {
            json.WriteBase64String("rows", MemoryMarshal.AsBytes(samples.Rows.AsSpan()));
            json.WriteBase64String("meanSquare", MemoryMarshal.AsBytes(samples.MeanSquare.AsSpan()));
            json.WriteBase64String("moments", MemoryMarshal.AsBytes(samples.Gram.AsSpan()));
            json.WriteBase64String("momentsMean", MemoryMarshal.AsBytes(samples.GramMean.AsSpan()));
        }

        json.WriteEndObject();
    }

    private static void WriteArray<T>(Utf8JsonWriter json, string name, IReadOnlyList<T> items, Action<T> write)
    {
        json.WriteStartArray(name);
        foreach (T item in items)
            write(item);
        json.WriteEndArray();
    }

    private static CalibrationStatistics ReadDocument(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("format", out JsonElement format) || format.GetString() != Format)
            throw new FormatException($"not a calibration cache: no \"format\": \"{Format}\"");
        int version = root.GetProperty("version").GetInt32();
        if (version != Version)
            throw new FormatException($"format version {version}, this tool reads version {Version}");
        var statistics = new CalibrationStatistics
        {
            ToolVersion = Text(root, "toolVersion"),
            ModelHash = Text(root, "modelHash"),
            PictureSetHash = Text(root, "pictureSetHash"),
            PictureCount = root.GetProperty("pictureCount").GetInt32(),
            Preparation = Text(root, "preparation"),
            BeforeEqualization = ReadValues(root, "beforeEqualization"),
            Values = ReadValues(root, "values"),
        };
        if (statistics.PictureCount <= 0)
            throw new FormatException($"{statistics.PictureCount} pictures");
        return statistics;
    }

    private static IReadOnlyList<ValueStatistics> ReadValues(JsonElement root, string property)
    {
        ValueStatistics[] values = [.. root.GetProperty(property).EnumerateArray().Select(ReadValue)];
        for (int i = 1; i < values.Length; i++)
        {
            if (string.CompareOrdinal(values[i - 1].Name, values[i].Name) >= 0)
                throw new FormatException($"value '{values[i].Name}' is out of order or there twice");
        }

        return values;
    }

    private static ValueStatistics ReadValue(JsonElement json)
    {
        string name = Text(json, "name");
        var value = new ValueStatistics
        {
            Name = name,
            ChannelAxis = json.GetProperty("channelAxis").GetInt32(),
            ChannelMin = Numbers(json, "channelMin", e => e.GetSingle(), name),
            ChannelMax = Numbers(json, "channelMax", e => e.GetSingle(), name),
            ChannelMean = Numbers(json, "channelMean", e => e.GetDouble(), name),
            PictureMin = ReadMoments(json, "pictureMin", name),
            PictureMax = ReadMoments(json, "pictureMax", name),
            Histogram = ValueHistogram.Restore(
                json.GetProperty("binWidthExponent").GetInt32(),
                json.GetProperty("firstBin").GetInt32(),
                [.. json.GetProperty("counts").EnumerateArray().Select(e => e.GetInt64())],
                json.GetProperty("zeros").GetInt64()),
        };
        int channels = value.ChannelMin.Count;
        if (channels > 0 && json.TryGetProperty("rows", out _))
            value = value with { Samples = ReadSamples(json, channels, name) };
        if (channels == 0 || value.ChannelMax.Count != channels || value.ChannelMean.Count != channels)
            throw new FormatException($"value '{name}': {channels} minima, {value.ChannelMax.Count} maxima and {value.ChannelMean.Count} means of channels");
        for (int i = 0; i < channels; i++)
        {
            float min = value.ChannelMin[i], max = value.ChannelMax[i];
            if (min > max)
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"value '{name}', channel {i}: minimum {min} over maximum {max}"));
        }

        return value;
    }

    private static ActivationSamples ReadSamples(JsonElement json, int channels, string name)
    {
        try
        {
            return new ActivationSamples(channels, Floats(json, "rows", name), Floats(json, "meanSquare", name), Floats(json, "moments", name), Floats(json, "momentsMean", name));
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"value '{name}': {e.Message}", e);
        }
    }

    private static Moments ReadMoments(JsonElement json, string property, string name) =>
        Numbers(json, property, e => e.GetDouble(), name) is [double mean, double meanSquare]
            ? new Moments(mean, meanSquare)
            : throw new FormatException($"value '{name}': {property} must hold two numbers");

    private static T[] Numbers<T>(JsonElement json, string property, Func<JsonElement, T> read, string name)
        where T : System.Numerics.INumberBase<T>
    {
        T[] numbers = [.. json.GetProperty(property).EnumerateArray().Select(e => e.ValueKind == JsonValueKind.Number
            ? read(e)
            : throw new FormatException($"value '{name}': {property} holds {e.GetRawText()}, which is no number"))];
        return Array.TrueForAll(numbers, T.IsFinite) ? numbers : throw new FormatException($"value '{name}': {property} holds a number that is not finite");
    }

    private static float[] Floats(JsonElement json, string property, string name)
    {
        if (!json.TryGetProperty(property, out JsonElement text) || text.ValueKind != JsonValueKind.String || !text.TryGetBytesFromBase64(out byte[]? bytes))
            throw new FormatException($"value '{name}': {property} is no base64");
        if (bytes.Length % sizeof(float) != 0)
            throw new FormatException($"value '{name}': {property} holds {bytes.Length} bytes, which are no whole numbers");
        float[] numbers = MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        return Array.TrueForAll(numbers, float.IsFinite) ? numbers : throw new FormatException($"value '{name}': {property} holds a number that is not finite");
    }

    private static string Text(JsonElement json, string property) =>
        json.GetProperty(property).GetString() ?? throw new FormatException($"{property} is null");
}
