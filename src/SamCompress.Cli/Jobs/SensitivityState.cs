using System.Text.Json;
using System.Text.Json.Serialization;
using SamCompress.IR;

namespace SamCompress.Cli.Jobs;

/// <summary>The layers measured so far, in a file, so that a measurement that was interrupted goes on.</summary>
internal sealed class SensitivityState(string path, string key)
{
    private const int SchemaVersion = 1;
    private const long MostBytes = 1 << 26;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Nothing when there is no file yet.</summary>
    /// <exception cref="SamCompressException">Input: the file is no state, or of another model, other pictures or options.</exception>
    public IReadOnlyList<MeasuredLayer> Read()
    {
        if (!Path.Exists(path))
            return [];
        try
        {
            using FileStream stream = InputFile.Open(path, MostBytes);
            Content content = JsonSerializer.Deserialize<Content>(stream, Json) ?? throw new JsonException("the file holds null");
            if (content.SchemaVersion != SchemaVersion || content.Key != key)
                throw Refused("the state is of another model, other pictures or other options", "name another file, or remove this one.", null);
            return content.Layers;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw Refused($"no state of a measurement: {e.Message.ReplaceLineEndings(" ")}", "name another file.", e);
        }
    }

    /// <summary>Replaces the file as a whole.</summary>
    public void Write(IReadOnlyList<MeasuredLayer> layers)
    {
        using ArtifactWriter writer = ArtifactWriter.Begin(path, [], overwrite: true, []);
        writer.Write(() =>
        {
            File.WriteAllText(writer.StagePath(Path.GetFileName(path)), JsonSerializer.Serialize(new Content(SchemaVersion, key, layers), Json) + "\n");
            return true;
        });
        writer.Commit();
    }

    private SamCompressException Refused(string message, string hint, Exception? inner) => new(FailureKind.InputRejected, message, hint, inner) { Location = path };

    private sealed record Content(int SchemaVersion, string Key, IReadOnlyList<MeasuredLayer> Layers);
}
