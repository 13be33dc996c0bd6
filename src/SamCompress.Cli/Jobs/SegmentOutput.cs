using System.Globalization;
using System.Text.RegularExpressions;
using SamCompress.Cli.Rendering;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Segmentation;

namespace SamCompress.Cli.Jobs;

/// <summary>Where the masks of a picture are written: one picture, or a directory with all there is.</summary>
internal sealed partial class SegmentOutput : IDisposable
{
    private const string Record = "masks.json";
    private const string Overlay = "overlay.png";
    private const string Comparison = "comparison.png";

    private readonly SegmentOptions _options;
    private readonly ArtifactWriter _writer;

    private SegmentOutput(SegmentOptions options, ArtifactWriter writer)
    {
        _options = options;
        _writer = writer;
    }

    /// <exception cref="SamCompressException">The output exists, is an input, or cannot be written.</exception>
    public static SegmentOutput Begin(SegmentOptions options, IReadOnlyList<string> inputs)
    {
        string main = options.OutputDirectory is { } directory
            ? Path.Combine(directory, Record)
            : options.Output ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(options.Picture))!, Path.GetFileNameWithoutExtension(options.Picture) + ".masks.png");
        if (options.OutputDirectory is { } folder && !options.Overwrite && Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new SamCompressException(FailureKind.Output, "the output directory is not empty", "use --overwrite to replace what is in it, or --output-dir to write elsewhere.") { Location = folder };
        if (inputs.FirstOrDefault(IsOwnFile) is { } own)
            throw new SamCompressException(FailureKind.Usage, "the output would be written over an input", "choose another directory with --output-dir.") { Location = own };
        return new SegmentOutput(options, ArtifactWriter.Begin(main, options.OutputDirectory is null ? [] : [Overlay, Comparison], options.Overwrite, inputs));

        // How many masks there will be is not known yet, so the writer cannot refuse these.
        bool IsOwnFile(string input) =>
            options.OutputDirectory is { } place && OwnName().IsMatch(Path.GetFileName(input)) && Path.GetDirectoryName(Path.GetFullPath(input)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(place));
    }

    /// <summary>Writes all files and puts them into place.</summary>
    /// <param name="comparison">Null without a reference.</param>
    /// <returns>Their full paths, the main one first.</returns>
    public IReadOnlyList<string> Write(DecodedImage image, IReadOnlyList<FoundMask> masks, MaskComparison? comparison, CancellationToken cancellation)
    {
        using var encoder = new PngEncoder();
        if (_options.OutputDirectory is null)
        {
            Save(Path.GetFileName(_writer.Output), comparison?.Draw(image) ?? DrawMasks());
        }
        else
        {
            Save(Overlay, DrawMasks());
            if (comparison is not null)
                Save(Comparison, comparison.Draw(image));
            for (int i = 0; i < masks.Count; i++)
                Save(NameOf(i), Raster.Of(masks[i].Mask));
            var record = MaskFile.Of(Path.GetFileName(_options.Picture), image.Width, image.Height, masks, _options.CompressedMasks);
            Put(Record, path => File.WriteAllText(path, JsonText.Serialize(record) + "\n"));
        }

        cancellation.ThrowIfCancellationRequested();
        IReadOnlyList<string> written = _writer.Commit();
        RemoveStale(written);
        return written;

        Raster DrawMasks()
        {
            var raster = Raster.Of(image);
            FoundMasks.Draw(raster, masks, i => i);
            return raster;
        }

        void Save(string name, Raster raster) => Put(name, path => File.WriteAllBytes(path, encoder.Encode(raster, cancellation)));
    }

    public void Dispose() => _writer.Dispose();

    private static string NameOf(int mask) => string.Create(CultureInfo.InvariantCulture, $"mask_{mask:000}.png");

    private void Put(string name, Action<string> write) => _writer.Write(() =>
    {
        write(_writer.StagePath(name));
        return true;
    });

    /// <summary>What an earlier run wrote for masks that there are no more.</summary>
    private void RemoveStale(IReadOnlyList<string> written)
    {
        if (_options.OutputDirectory is not { } directory)
            return;
        HashSet<string> current = [.. written.Select(f => Path.GetFileName(f))];
        foreach (string file in Directory.GetFiles(directory).Where(f => OwnName().IsMatch(Path.GetFileName(f)) && !current.Contains(Path.GetFileName(f))))
            File.Delete(file);
    }

    [GeneratedRegex(@"^(mask_\d{3,}|comparison)\.png$")]
    private static partial Regex OwnName();
}
