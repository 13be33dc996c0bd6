using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Cli.Jobs;

/// <param name="Ok">Whether there is no error; warnings may be there.</param>
public sealed record CheckReport(int SchemaVersion, string Model, bool Ok, int Errors, int Warnings, IReadOnlyList<Diagnostic> Findings);

/// <summary>Checks a model by the rules of the format. All findings are listed, not only the first.</summary>
public static class CheckJob
{
    /// <exception cref="SamCompressException">The file cannot be read as a model at all.</exception>
    public static CheckReport Run(string path, ReadOptions reading)
    {
        using Model model = ModelSource.Read(path, reading);
        IReadOnlyList<Diagnostic> findings = GraphChecker.Check(model);
        int errors = findings.Count(f => f.Severity == Severity.Error);
        return new CheckReport(1, path, errors == 0, errors, findings.Count(f => f.Severity == Severity.Warning), findings);
    }
}
