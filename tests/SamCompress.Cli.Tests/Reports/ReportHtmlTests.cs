using System.Text.RegularExpressions;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering.Html;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Reports;

public sealed partial class ReportHtmlTests
{
    public static TheoryData<string> Kinds => ["compression", "rewrite", "prune", "distill"];

    internal static string Page(string kind) => kind switch
    {
        "compression" => ReportHtml.Render(SampleReports.Compression, SampleReports.Pictures()),
        "rewrite" => ReportHtml.Render(SampleReports.Rewrite, []),
        "prune" => ReportHtml.Render(SampleReports.Prune, []),
        _ => ReportHtml.Render(SampleReports.Distill, []),
    };

    /// <summary>Without the style sheet and the pixels.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_page_tells_all_of_its_report(string kind) =>
        Snapshot.Match(Pixels().Replace(Style().Replace(Page(kind), "<style></style>"), "data:image/png;base64,"), kind);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void No_name_becomes_markup_and_nothing_is_loaded(string kind)
    {
        string page = Page(kind);

        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<!--", page, StringComparison.Ordinal);
        Assert.DoesNotContain("\u202e", page, StringComparison.Ordinal);
        Assert.All(Reference().Matches(page), m => Assert.StartsWith("data:", m.Groups[1].Value, StringComparison.Ordinal));
        Assert.DoesNotContain("url(", page, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_report_gives_the_same_page() => Assert.Equal(Page("compression"), Page("compression"));

    [Fact]
    public void The_verdict_is_a_sentence()
    {
        CompressionReport report = SampleReports.Compression;

        Assert.Equal(
            "73 % smaller than the original, slower on cpu, 1.15 times the time of a run, and its masks agree with the original's at a mean IoU of 0.951. One gate is missed.",
            VerdictText.Sentence(report));
        Assert.Equal("10 % larger than the original.", VerdictText.Sentence(report with { Artifact = report.Model with { Bytes = 393_800_000 }, Speed = null, Quality = null, Gates = [] }));
        Assert.Equal("As large as the original.", VerdictText.Sentence(report with { Artifact = report.Model, Speed = null, Quality = null, Gates = [] }));
        Assert.Equal("Nothing was written.", VerdictText.Sentence(report with { Artifact = null }));
    }

    [GeneratedRegex("<style>.*</style>", RegexOptions.Singleline)]
    private static partial Regex Style();

    [GeneratedRegex("data:image/png;base64,[A-Za-z0-9+/=]+")]
    private static partial Regex Pixels();

    [GeneratedRegex("<[^>]* (?:src|href)=\"([^\"]*)\"")]
    private static partial Regex Reference();
}
