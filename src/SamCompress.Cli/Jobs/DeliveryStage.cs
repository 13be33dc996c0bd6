using SamCompress.IR;
using SamCompress.Passes.Analysis;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Images.Embedded;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

/// <summary>The preprocessing that an encoder holds.</summary>
/// <param name="Pictures">On how many it was compared with that of the tool.</param>
/// <param name="LargestDifference">Of any element of an output, as a part of the output's greatest.</param>
public sealed record ReportedPreprocessing(string Takes, int Pictures, double LargestDifference);

/// <summary>An encoder as it is in the stage of its output.</summary>
/// <param name="Plain">A file that computes the same from the tensor that encoders take: the artifact itself, unless preprocessing is embedded.</param>
/// <param name="Files">The artifact, and its data if that has a file of its own.</param>
/// <param name="Preprocessing">Null when none is embedded.</param>
internal sealed record DeliveredEncoder(string Plain, IReadOnlyList<string> Files, ReportedModel Model, ReportedPreprocessing? Preprocessing);

/// <summary>Writes an encoder in the form that was asked for, and shows that embedded preprocessing gives what ours gives.</summary>
/// <param name="form">Null to leave the preprocessing to the caller.</param>
internal sealed class DeliveryStage(PictureForm? form, ExternalDataMode externalData, SessionSettings session, ArtifactWriter writer, StageClock clock, CancellationToken cancellation)
{
    private const double MostDifference = 1e-3;
    private const int MostPictures = 2;

    /// <param name="model">An encoder gets <see cref="ImageMetadata"/>; another model, and one that was not edited, stays as it is.</param>
    /// <param name="name">The name of the artifact.</param>
    /// <param name="pictures">To compare by; pictures are made when there are none.</param>
    /// <exception cref="SamCompressException">Unsupported: preprocessing cannot be embedded. Runtime: it does not give the same.</exception>
    public DeliveredEncoder Write(Model model, string name, IReadOnlyList<string> pictures)
    {
        if (model.IsEdited && ModelKinds.Recognize(model) == ModelKind.SamEncoder)
            ImageMetadata.Set(model, form: null);
        if (form is not { } embedded)
        {
            IReadOnlyList<string> files = writer.Save(model, name, externalData);
            return new DeliveredEncoder(files[0], files, Describe(model, files), null);
        }

        string plain = writer.Save(model, Path.Combine("plain", name), externalData)[0];
        clock.Start("embed preprocessing");
        using Model encoder = OnnxReader.Read(plain);
        Preprocessing preprocessing = EmbeddedPreprocessing.Embed(encoder, embedded);
        ImageMetadata.Set(encoder, embedded);
        IReadOnlyList<string> written = writer.Save(encoder, name, externalData);
        ReportedPreprocessing reported = Compare(plain, written[0], embedded, preprocessing, pictures.Count > 0 ? [.. pictures.Take(MostPictures)] : MakePictures());
        return new DeliveredEncoder(plain, written, Describe(encoder, written), reported);
    }

    private static ReportedModel Describe(Model model, IReadOnlyList<string> files) =>
        QuantizeJob.Describe(model, files[0], FileHash.Of(files[0]), files.Sum(f => new FileInfo(f).Length));

    /// <summary>Runs one model after the other, so that one at a time is in memory.</summary>
    private ReportedPreprocessing Compare(string plain, string artifact, PictureForm embedded, Preprocessing preprocessing, IReadOnlyList<string> pictures)
    {
        using var loader = new ImageLoader(preprocessing);
        List<Dictionary<string, float[]>> expected = [.. Run(plain, false, pictures.Select(p => (Func<RuntimeTensor>)(() => loader.Load(p, cancellation).Input)))];
        List<Dictionary<string, float[]>> actual = [.. Run(artifact, embedded == PictureForm.File, pictures.Select(p => (Func<RuntimeTensor>)(() => embedded == PictureForm.File ? BytesOf(p) : PixelsOf(loader, p))))];
        double worst = expected.Zip(actual).Max(p => p.First.Max(output => Difference(output.Value, p.Second[output.Key])));
        if (worst > MostDifference)
            throw new SamCompressException(FailureKind.Runtime, FormattableString.Invariant($"the embedded preprocessing gives other embeddings than the encoder: they differ by {worst:G3} of the greatest element")) { Location = artifact };
        return new ReportedPreprocessing(embedded.ToString().ToLowerInvariant(), pictures.Count, worst);
    }

    private IEnumerable<Dictionary<string, float[]>> Run(string path, bool useExtensions, IEnumerable<Func<RuntimeTensor>> inputs)
    {
        using OnnxSession encoder = OnnxSession.Open(path, session with { UseExtensions = useExtensions });
        string[] outputs = [.. encoder.Outputs.Where(o => o.ElementType == ElementType.Float).Select(o => o.Name)];
        foreach (Func<RuntimeTensor> input in inputs)
        {
            using RuntimeTensor tensor = input();
            using RuntimeTensors results = encoder.Run(new Dictionary<string, RuntimeTensor> { [encoder.Inputs[0].Name] = tensor }, outputs, cancellation);
            yield return results.ToDictionary(r => r.Key, r => r.Value.ToArray<float>(), StringComparer.Ordinal);
        }
    }

    private static double Difference(float[] expected, float[] actual)
    {
        float largest = 0, greatest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(expected[i] - actual[i]));
            greatest = Math.Max(greatest, Math.Abs(expected[i]));
        }

        return largest == 0 ? 0 : largest / greatest;
    }

    private static RuntimeTensor BytesOf(string picture)
    {
        byte[] bytes = File.ReadAllBytes(picture);
        return RuntimeTensor.Of(bytes, bytes.Length);
    }

    private RuntimeTensor PixelsOf(ImageLoader loader, string picture)
    {
        using DecodedImage image = loader.Decode(picture, cancellation);
        return RuntimeTensor.Of(Raster.Of(image).Pixels, image.Height, image.Width, Raster.Channels);
    }

    /// <summary>A wide and a high picture of slopes and stripes.</summary>
    private IReadOnlyList<string> MakePictures()
    {
        using var encoder = new PngEncoder();
        return [.. new[] { (Width: 300, Height: 200), (Width: 150, Height: 210) }.Select((size, i) => writer.Write(() =>
        {
            var pixels = new byte[size.Width * size.Height * Raster.Channels];
            for (int p = 0; p < size.Width * size.Height; p++)
            {
                (int y, int x) = Math.DivRem(p, size.Width);
                (pixels[3 * p], pixels[(3 * p) + 1], pixels[(3 * p) + 2]) = ((byte)(255 * x / size.Width), (byte)(255 * y / size.Height), (byte)((x + y) % 16 < 8 ? 40 : 210));
            }

            string path = writer.StagePath(Path.Combine("plain", $"picture-{i}.png"));
            File.WriteAllBytes(path, encoder.Encode(new Raster(size.Width, size.Height, pixels), cancellation));
            return path;
        }))];
    }
}
