using SamCompress.Testing;

namespace SamCompress.Cli.Tests;

public sealed class HelpTests
{
    [Theory]
    [InlineData("")]
    [InlineData("quantize")]
    [InlineData("optimize")]
    [InlineData("rewrite")]
    [InlineData("prune")]
    [InlineData("distill")]
    [InlineData("compress")]
    [InlineData("inspect")]
    [InlineData("calibrate")]
    [InlineData("evaluate")]
    [InlineData("segment")]
    [InlineData("sensitivity")]
    [InlineData("bench")]
    [InlineData("check")]
    [InlineData("doctor")]
    public void Help_of_each_command(string command)
    {
        CommandRun run = CommandRun.Of([.. command.Length == 0 ? [] : new[] { command }, "--help"]);

        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Error);
        Snapshot.Match(run.Out, command.Length == 0 ? "root" : command);
    }
}
