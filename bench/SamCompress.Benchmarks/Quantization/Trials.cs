using System.Text.Json;
using SamCompress.Runtime.Images;
using SamCompress.Testing;

namespace SamCompress.Benchmarks.Quantization;

/// <summary>
/// Quantizes models by the command line, and judges the results by pictures that calibration has not seen. Owns a temporary folder that everything is
/// written to.
/// </summary>
internal sealed class Trials : IDisposable
{
    private const int CalibrationPictures = 32;

    private readonly DirectoryInfo _folder;
    private readonly string _calibrationList;
    private readonly string _evaluationList;
    private int _written;

    /// <param name="calibration">A folder, of which up to 32 pictures are used; null for that of the repository.</param>
    /// <param name="pictures">A folder, of which all are used that calibration does not; null for the same folder.</param>
    /// <exception cref="SamCompressException">A folder holds no picture, or none is left to judge by.</exception>
    public Trials(string? calibration, string? pictures)
    {
        ImageSet all = ImageSet.Open(Path.GetFullPath(calibration ?? Path.Combine(SkeletonModels.RepositoryRoot, "calibration")));
        Calibration = all.Split(CalibrationPictures, validation: 0, allowFewer: true).Calibration.Paths;
        ImageSet others = pictures is null ? all : ImageSet.Open(Path.GetFullPath(pictures));
        Evaluation = [.. others.Paths.Except(Calibration, StringComparer.Ordinal)];
        if (Evaluation.Count == 0)
            throw new SamCompressException(FailureKind.Usage, "calibration takes all pictures, and leaves none to judge by", "give others: --pictures DIR.");
        _folder = Directory.CreateTempSubdirectory("samcompress-bench-");
        _calibrationList = List(Calibration);
        _evaluationList = List(Evaluation);
    }

    public IReadOnlyList<string> Calibration { get; }

    public IReadOnlyList<string> Evaluation { get; }

    /// <summary>The encoder of one of the models in the repository.</summary>
    public static string Sample(string name) => Path.Combine(SkeletonModels.RepositoryRoot, "models", name, "encoder.onnx");

    /// <param name="pictures">To calibrate with; the usual ones by default.</param>
    public Artifact Quantize(string model, IEnumerable<string> options, IReadOnlyList<string>? pictures = null)
    {
        Artifact artifact = QuantizeOrRefusal(model, options, pictures);
        return artifact.Execution.Refusal is { } refusal ? throw new InvalidOperationException($"samcompress quantize: {refusal}") : artifact;
    }

    /// <summary>The same; where the options are unknown, the execution of the result is refused and says why.</summary>
    public Artifact QuantizeOrRefusal(string model, IEnumerable<string> options, IReadOnlyList<string>? pictures = null)
    {
        string file = Path.Combine(_folder.CreateSubdirectory($"{_written++}").FullName, "encoder.onnx");
        string list = pictures is null ? _calibrationList : List(pictures);
        int samples = (pictures ?? Calibration).Count;
        string[] arguments = ["quantize", model, "-o", file, "--calibration-data", list, "--samples", $"{samples}", .. options, "--format", "json", "-q"];
        var artifact = new Artifact(model, file, Execution.OrRefusal(arguments));
        if (artifact.Execution.Refusal is null && artifact.Report.Number("calibration", "pictures") != samples)
            throw new InvalidOperationException($"calibration saw {artifact.Report.Number("calibration", "pictures")} pictures instead of {samples}");
        return artifact;
    }

    /// <summary>The report of the comparison with the original, on the pictures to judge by.</summary>
    public JsonElement Evaluate(Artifact artifact)
    {
        string[] decoder = artifact.Decoder is { } file ? ["--student-decoder", file] : [];
        return Execution.Of(["evaluate", artifact.File, "--reference", artifact.Original, "--data", _evaluationList, .. decoder, "--format", "json", "-q"]).Result;
    }

    /// <summary>The report of timing an artifact and its original in turns, in one process.</summary>
    public static JsonElement Time(Artifact artifact, int rounds) =>
        Execution.Of("bench", artifact.File, "--reference", artifact.Original, "--rounds", $"{rounds}", "--format", "json", "-q").Result;

    public void Dispose() => _folder.Delete(recursive: true);

    private string List(IReadOnlyList<string> pictures)
    {
        string list = Path.Combine(_folder.FullName, $"pictures-{_written++}.txt");
        File.WriteAllLines(list, pictures);
        return list;
    }
}
