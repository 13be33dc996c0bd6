using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Jobs;

/// <summary>The reports beside an artifact: one for programs, two for people, of the same record. See docs/reports.md.</summary>
/// <param name="artifact">The name of its file.</param>
internal sealed class ReportFiles(string artifact)
{
    private readonly string _stem = Path.GetFileNameWithoutExtension(artifact) + ".report";

    /// <summary>Without a folder.</summary>
    public IReadOnlyList<string> Names => [_stem + ".json", _stem + ".md", _stem + ".html"];

    public void Write(ArtifactWriter writer, IModelReport report, string markdown, string html) => writer.Write(() =>
    {
        File.WriteAllText(writer.StagePath(_stem + ".json"), JsonText.Serialize(report) + "\n");
        File.WriteAllText(writer.StagePath(_stem + ".md"), markdown);
        File.WriteAllText(writer.StagePath(_stem + ".html"), html);
        return true;
    });
}
