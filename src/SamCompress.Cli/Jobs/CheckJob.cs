using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Cli.Jobs;

/// <param name="Ok">Whether there is no error; warnings may be there.</param>
public sealed record CheckReport(int SchemaVersion, string Model, bool Ok, int Errors, int Warnings, IReadOnlyList<Diagnostic> Findings);

/// <summary>Checks a model by the rules of the format, or a folder by its manifest. All findings are listed, not only the first.</summary>
public static class CheckJob
{
    /// <param name="path">A model, or a manifest by its extension.</param>
    /// <exception cref="SamCompressException">The file cannot be read as what it is at all.</exception>
    public static CheckReport Run(string path, ReadOptions reading)
    {
        if (string.Equals(Path.GetExtension(path), ".json", StringComparison.OrdinalIgnoreCase) && File.Exists(path))
            return ManifestCheck.Run(path);
        using Model model = ModelSource.Read(path, reading);
        IReadOnlyList<Diagnostic> findings = GraphChecker.Check(model);
        int errors = findings.Count(f => f.Severity == Severity.Error);
        return new CheckReport(1, path, errors == 0, errors, findings.Count(f => f.Severity == Severity.Warning), findings);
    }
}
