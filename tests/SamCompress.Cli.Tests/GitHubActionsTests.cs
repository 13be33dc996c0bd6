using System.Text;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests;

public sealed class GitHubActionsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Summary => _directory.File("summary.md");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void It_is_there_in_a_workflow_only()
    {
        Assert.Null(GitHubActions.Of(_ => null));
        Assert.Null(GitHubActions.Of(name => name == "GITHUB_STEP_SUMMARY" ? Summary : null));
        Assert.Null(GitHubActions.Of(name => name == "GITHUB_ACTIONS" ? "false" : Summary));
        Assert.NotNull(GitHubActions.Of(name => name == "GITHUB_ACTIONS" ? "true" : null));
    }

    [Fact]
    public void Without_a_summary_nothing_is_appended() => Assert.Null(new GitHubActions(null).AppendSummary("# text"));

    [Fact]
    public void Reports_are_appended_one_behind_the_other()
    {
        File.WriteAllText(Summary, "before\n");

        Assert.Null(new GitHubActions(Summary).AppendSummary("# one\n"));
        Assert.Null(new GitHubActions(Summary).AppendSummary("# two"));

        Assert.Equal("before\n# one\n\n# two\n\n", File.ReadAllText(Summary));
    }

    /// <summary>Letters of two bytes, so that a cut that counts letters, or falls within one, shows.</summary>
    [Fact]
    public void A_long_report_is_cut_at_a_line_and_says_so()
    {
        File.WriteAllText(Summary, new string('x', 1000));
        string line = new('ä', 49);

        Assert.Null(new GitHubActions(Summary).AppendSummary(string.Join('\n', Enumerable.Repeat(line, 11_000))));

        byte[] bytes = File.ReadAllBytes(Summary);
        string[] lines = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(bytes.Length, GitHubActions.MostSummaryBytes - 300, GitHubActions.MostSummaryBytes);
        Assert.All(lines[1..^1], l => Assert.Equal(line, l));
        Assert.Contains("cut here", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_summary_stays_as_it_is()
    {
        File.WriteAllText(Summary, new string('x', GitHubActions.MostSummaryBytes - 50));

        Assert.Contains("full", new GitHubActions(Summary).AppendSummary(new string('y', 100)), StringComparison.Ordinal);

        Assert.Equal(GitHubActions.MostSummaryBytes - 50, new FileInfo(Summary).Length);
    }

    [Fact]
    public void A_summary_that_cannot_be_written_is_a_warning() =>
        Assert.Contains("cannot be added", new GitHubActions(_directory.Path).AppendSummary("# text"), StringComparison.Ordinal);

    [Theory]
    [InlineData(null, "100 % wrong", "::error::100 %25 wrong")]
    [InlineData("a,b:c.onnx", "one\r\ntwo", "::error file=a%2Cb%3Ac.onnx::one%0D%0Atwo")]
    [InlineData("mine.json(3,14)", "wrong", "::error file=mine.json,line=3,col=14::wrong")]
    [InlineData("encoder.onnx(/blocks.0/attn)", "wrong", "::error file=encoder.onnx::wrong")]
    [InlineData("model (1).onnx", "::warning::x", "::error file=model (1).onnx::::warning::x")]
    public void Errors_are_escaped(string? location, string message, string command) => Assert.Equal(command, GitHubActions.Error(location, message));

    [Fact]
    public void A_failure_is_also_told_to_the_workflow()
    {
        using var error = new StringWriter { NewLine = "\n" };

        int exitCode = CommandLine.Run(["check", "absent.onnx"], new CommandContext { Out = TextWriter.Null, Error = error, GitHub = new GitHubActions(null) });

        Assert.Equal(3, exitCode);
        Assert.StartsWith("::error file=absent.onnx::SC3000: ", error.ToString().Split('\n')[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_report_of_a_job_is_in_the_summary_and_a_failure_to_add_it_is_no_failure(bool canWrite)
    {
        string nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
        using var error = new StringWriter { NewLine = "\n" };

        int exitCode = CommandLine.Run(
            ["prune", nano, "-o", _directory.File("out.onnx"), "--embedding-ratio", "0.5", "--no-repair", "-q"],
            new CommandContext { Out = TextWriter.Null, Error = error, GitHub = new GitHubActions(canWrite ? Summary : _directory.Path) });

        Assert.Equal(0, exitCode);
        if (canWrite)
            Assert.StartsWith("# out.onnx\n", File.ReadAllText(Summary), StringComparison.Ordinal);
        else
            Assert.StartsWith("samcompress: warning: the report cannot be added", error.ToString(), StringComparison.Ordinal);
    }
}
