using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Tests.Rendering;

public sealed class ConsoleProgressTests
{
    [Fact]
    public void Off_a_terminal_it_writes_a_line_for_each_quarter()
    {
        string text = Run(null);

        Assert.Equal("calibrate\n  calibrate: 3/10 pictures, 30 %\n  calibrate: 5/10 pictures, 50 %\n  calibrate: 8/10 pictures, 80 %\n  calibrate: 10/10 pictures, 100 %\n", text);
    }

    [Fact]
    public void On_a_terminal_it_redraws_one_line_and_takes_it_away()
    {
        string text = Run(40);

        Assert.DoesNotContain('\n', text);
        Assert.DoesNotContain('\u001b', text);
        Assert.EndsWith('\r' + new string(' ', "calibrate: 10/10 pictures, 100 %".Length) + '\r', text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_narrow_terminal_is_never_overrun()
    {
        Assert.All(Run(20).Split('\r'), line => Assert.True(line.Length < 20));
    }

    private static string Run(int? width)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        using (var progress = new ConsoleProgress(writer, width))
        {
            progress.Stage("calibrate");
            for (int i = 1; i <= 10; i++)
                progress.Advance(i, 10, "pictures");
        }

        return writer.ToString();
    }
}
