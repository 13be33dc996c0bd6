using SamCompress.Runtime.Images;

namespace SamCompress.Cli.Jobs;

/// <summary>The pictures of a job: those to calibrate with, and others, if there are enough, to judge the result by.</summary>
internal sealed class CalibrationPictures
{
    private readonly CalibrationRequest _request;
    private readonly List<string> _skipped = [];
    private readonly HashSet<string> _bad = new(StringComparer.Ordinal);

    private CalibrationPictures(CalibrationRequest request, string source, IReadOnlyList<string> all, ImageSet calibration, ImageSet heldOut)
    {
        _request = request;
        All = all;
        Source = source;
        Calibration = calibration.Paths;
        HeldOut = heldOut.Paths;
        SetHash = FileHash.OfHashes(Calibration.Select(FileHash.Of));
    }

    /// <summary>The name of the set, for reports.</summary>
    public string Source { get; }

    /// <summary>The whole set, these and those that are in neither part included.</summary>
    public IReadOnlyList<string> All { get; }

    public IReadOnlyList<string> Calibration { get; }

    /// <summary>Pictures that calibration does not see; may be empty.</summary>
    public IReadOnlyList<string> HeldOut { get; }

    /// <summary>SHA-256 over the hashes of the calibration pictures, in order.</summary>
    public string SetHash { get; }

    /// <summary>Those that validation takes first, which are sound as far as is known.</summary>
    public IReadOnlyList<string> ToCompareBy => [.. (HeldOut.Count > 0 ? HeldOut : Calibration).Where(p => !_bad.Contains(p))];

    /// <summary>Pictures that could not be read, so far.</summary>
    public IReadOnlyList<string> Skipped => _skipped;

    /// <param name="modelHash">Tells whether the shipped set fits the model.</param>
    /// <param name="heldOut">How many pictures to hold out, at most.</param>
    /// <exception cref="SamCompressException">Usage: none are given and none fit. Input: they are missing or too few.</exception>
    public static CalibrationPictures Choose(CalibrationRequest request, string modelHash, int heldOut)
    {
        ImageSet all = ImageSet.Open(request.Data ?? DefaultFolder(modelHash));
        int count = all.Paths.Count;
        int samples = request.Samples ?? Math.Min(CalibrationRequest.DefaultSamples, count - Math.Min(heldOut, count / 5));
        (ImageSet calibration, ImageSet validation) = all.Split(samples, heldOut, request.AllowFewer);
        string source = request.Data is null ? "the shipped set" : Path.GetFileName(Path.TrimEndingDirectorySeparator(request.Data));
        return new CalibrationPictures(request, source, all.Paths, calibration, validation);
    }

    /// <summary>Pictures that were chosen already; none is held out.</summary>
    /// <param name="source">The name of the set, for reports.</param>
    public static CalibrationPictures Of(string source, IReadOnlyList<string> paths) => new(new CalibrationRequest(), source, paths, ImageSet.Of(paths), ImageSet.Of([]));

    /// <summary>Holds every n-th calibration picture out, in place of what was held out before; none when there are fewer than n.</summary>
    public CalibrationPictures HoldOutEvery(int n) => new(
        _request, Source, All, ImageSet.Of(Calibration.Where((_, i) => i % n != n - 1)), ImageSet.Of(Calibration.Where((_, i) => i % n == n - 1)));

    /// <summary>The same set with a single picture to calibrate with, and none held out.</summary>
    public CalibrationPictures Only(string picture) => new(_request, Source, All, ImageSet.Of([picture]), ImageSet.Of([]));

    /// <summary>Whether <see cref="Choose"/> would find a set.</summary>
    public static bool AreGiven(CalibrationRequest request, string modelHash) => request.Data is not null || Shipped(modelHash) is not null;

    /// <summary>Reads the calibration pictures one at a time, passing over as many bad ones as the request allows. May be called again.</summary>
    public IEnumerable<EncoderImage> Images(ImageLoader loader, IJobProgress progress, CancellationToken cancellation)
    {
        for (int i = 0; i < Calibration.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Load(loader, Calibration[i], progress, cancellation) is { } image)
                yield return image;
            progress.Advance(i + 1, Calibration.Count, "pictures");
        }
    }

    private EncoderImage? Load(ImageLoader loader, string path, IJobProgress progress, CancellationToken cancellation)
    {
        if (_bad.Contains(path))
            return null;
        try
        {
            return loader.Load(path, cancellation);
        }
        catch (SamCompressException e) when (e.Kind == FailureKind.InputRejected && _skipped.Count < _request.SkipBadImages)
        {
            _bad.Add(path);
            _skipped.Add(Path.GetFileName(path));
            progress.Note($"skipped {e.Message}");
            return null;
        }
    }

    private static string? Shipped(string modelHash) =>
        ShippedAssets.Find() is { } assets && assets.IsSampleModel(modelHash) ? assets.CalibrationFolder : null;

    private static string DefaultFolder(string modelHash) => Shipped(modelHash) ?? throw new SamCompressException(
        FailureKind.Usage,
        "pictures to calibrate with are needed",
        "give a folder of some 32 pictures like those that the model will see: --calibration-data DIR.");
}
