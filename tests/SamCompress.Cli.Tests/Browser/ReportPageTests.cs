using System.Globalization;
using SamCompress.Cli.Tests.Commands;
using SamCompress.Cli.Tests.Reports;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Browser;

/// <summary>
/// Reports in a real browser: that of the quick start, and pages of reports whose names are meant to do harm. What they look like lies in
/// <c>artifacts/test-results/screenshots</c>.
/// </summary>
[Collection(QuickStart.Collection)]
public sealed class ReportPageTests(QuickStart quickStart, ReportPageTests.OneBrowser browser) : IClassFixture<ReportPageTests.OneBrowser>, IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public static TheoryData<string, int, string> Visits
    {
        get
        {
            var visits = new TheoryData<string, int, string>();
            foreach (string page in (string[])["quantize", "compression", "rewrite", "prune", "distill"])
            {
                visits.Add(page, 400, "dark");
                visits.Add(page, 1600, "light");
            }

            visits.Add("quantize", 400, "light");
            visits.Add("quantize", 1600, "dark");
            return visits;
        }
    }

    public void Dispose() => _directory.Dispose();

    [BrowserTheory]
    [MemberData(nameof(Visits))]
    public async Task A_report_opens_without_a_request_or_complaint_and_fits_the_window(string page, int width, string scheme)
    {
        string file = page == "quantize" ? quickStart.Directory.File("encoder.w8a8.report.html") : _directory.Write("page.html", ReportHtmlTests.Page(page));
        string screenshot = Path.Combine(SkeletonModels.RepositoryRoot, "artifacts", "test-results", "screenshots", string.Create(CultureInfo.InvariantCulture, $"{page}-{width}-{scheme}.png"));

        PageVisit visit = await PageVisit.Open(await browser.Get(), file, width, scheme, screenshot);

        Assert.Empty(visit.Requests);
        Assert.Empty(visit.Complaints);
        Assert.Contains($"- samcompress ", visit.Facts["title"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(0, visit.Facts["scripts"]!.GetValue<int>());
        Assert.Equal(width, visit.Facts["inner"]!.GetValue<int>());
        Assert.True(visit.Facts["scroll"]!.GetValue<int>() <= width, $"the page is {visit.Facts["scroll"]} pixels wide");
        Assert.Equal(0, visit.Facts["missing"]!.GetValue<int>());
        Assert.Equal(page switch { "quantize" => 12, "compression" => 6, _ => 0 }, visit.Facts["pictures"]!.GetValue<int>());
        Assert.Equal(0, visit.Facts["tables"]!.GetValue<int>());
        Assert.Equal(0, visit.Facts["unnamed"]!.GetValue<int>());
        int[] headings = [.. visit.Facts["headings"]!.AsArray().Select(h => h!.GetValue<int>())];
        Assert.Equal([1], headings.Where(h => h == 1));
        Assert.All(headings.Zip(headings.Skip(1)), pair => Assert.True(pair.Second <= pair.First + 1, "a level of headings is left out"));
        Assert.True(new FileInfo(screenshot).Length > 0);
    }

    /// <summary>Started by the first test that needs it, and closed after the last.</summary>
    public sealed class OneBrowser : IDisposable
    {
        private Chromium? _browser;

        public void Dispose() => _browser?.Dispose();

        internal async Task<Chromium> Get() => _browser ??= await Chromium.Start();
    }
}
