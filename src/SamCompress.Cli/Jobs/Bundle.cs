using SamCompress.Cli.Rendering;
using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Jobs;

/// <param name="File">A name in the folder of the manifest.</param>
/// <param name="Role">For people; see <see cref="Bundle"/>.</param>
public sealed record ManifestFile(string File, long Bytes, string Sha256, string Role);

/// <summary>What a folder holds and what it was made of. Signing it signs the folder.</summary>
/// <param name="Provenance">What stands in the encoder's metadata, without its prefix.</param>
public sealed record Manifest(int SchemaVersion, ReportedModel Source, IReadOnlyDictionary<string, string> Provenance, IReadOnlyList<ManifestFile> Files);

/// <summary>A folder to be handed on: encoder, decoder, reports and a manifest, under names that are always the same.</summary>
internal static class Bundle
{
    public const string EncoderName = "encoder.onnx";
    public const string DecoderName = "decoder.onnx";
    public const string ManifestName = "manifest.json";

    /// <summary>What may be written beside encoder and reports.</summary>
    public static IReadOnlyList<string> Sidecars { get; } = [DecoderName, DecoderName + ".data", ManifestName];

    /// <summary>Adds what the folder lacks: the decoder, if it was left as it is, and the manifest.</summary>
    /// <param name="decoder">The float decoder, or null when there is none or a quantized one is staged.</param>
    /// <returns>The names of what was added.</returns>
    public static IReadOnlyList<string> Complete(ArtifactWriter writer, CompressionReport report, string? decoder, ReadOptions reading) => writer.Write<IReadOnlyList<string>>(() =>
    {
        List<string> added = [];
        if (decoder is not null)
        {
            using Model model = ModelSource.ReadDecoder(decoder, reading);
            writer.RefuseInputs(model.Files);
            added.AddRange(writer.Save(model, DecoderName, ExternalDataMode.Auto).Select(f => Path.GetFileName(f)));
        }

        using Model encoder = OnnxReader.Read(writer.StagePath(EncoderName));
        Dictionary<string, string> provenance = encoder.Metadata.Where(m => m.Key.StartsWith(QuantizePass.MetadataPrefix, StringComparison.Ordinal))
            .OrderBy(m => m.Key, StringComparer.Ordinal).ToDictionary(m => m.Key[QuantizePass.MetadataPrefix.Length..], m => m.Value, StringComparer.Ordinal);
        var manifest = new Manifest(1, report.Model, provenance, [.. report.Files.Concat(added).Select(f => Describe(writer.StagePath(f)))]);
        File.WriteAllText(writer.StagePath(ManifestName), JsonText.Serialize(manifest) + "\n");
        return [.. added, ManifestName];
    });

    private static ManifestFile Describe(string path)
    {
        string name = Path.GetFileName(path);
        string role = name switch
        {
            EncoderName => "image encoder",
            DecoderName => "prompt encoder and mask decoder",
            _ when name.EndsWith(".data", StringComparison.Ordinal) => "weights",
            _ => "report",
        };
        return new ManifestFile(name, new FileInfo(path).Length, FileHash.Of(path), role);
    }
}
