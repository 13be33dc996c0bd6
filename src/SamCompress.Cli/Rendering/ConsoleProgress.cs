using System.Diagnostics;
using SamCompress.Cli.Jobs;
using SamCompress.IR;

namespace SamCompress.Cli.Rendering;

/// <summary>
/// Progress on a terminal as one line that is redrawn, with the time left; elsewhere as plain lines at every quarter and every 30 seconds.
/// Uses no colour and no escape sequence.
/// </summary>
internal sealed class ConsoleProgress(TextWriter writer, int? terminalWidth) : IJobProgress, IDisposable
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);
    private readonly Stopwatch _stageClock = new();
    private string _stage = "";
    private int _drawn;
    private int _quarter;
    private TimeSpan _lastLine;

    public void Stage(string name)
    {
        Clear();
        _stage = name;
        _quarter = 0;
        _lastLine = TimeSpan.Zero;
        _stageClock.Restart();
        if (terminalWidth is null)
            writer.WriteLine(name);
        else
            Draw(name);
    }

    public void Advance(int done, int total, string unit)
    {
        if (total <= 0)
            return;
        TimeSpan elapsed = _stageClock.Elapsed;
        string line = $"{_stage}: {done}/{total} {unit}, {100L * done / total} %{TimeLeft(done, total, elapsed)}";
        if (terminalWidth is not null)
        {
            Draw(line);
            return;
        }

        int quarter = (int)(4L * done / total);
        if (quarter <= _quarter && elapsed - _lastLine < Silence)
            return;
        _quarter = quarter;
        _lastLine = elapsed;
        writer.WriteLine("  " + line);
    }

    public void Note(string message)
    {
        Clear();
        writer.WriteLine(SafeText.Line(message));
    }

    public void Dispose() => Clear();

    private static string TimeLeft(int done, int total, TimeSpan elapsed)
    {
        if (done <= 0 || done >= total || elapsed < TimeSpan.FromSeconds(1))
            return "";
        TimeSpan left = elapsed * ((double)(total - done) / done);
        return left.TotalMinutes >= 1 ? $", {(int)left.TotalMinutes} min {left.Seconds} s left" : $", {(int)Math.Ceiling(left.TotalSeconds)} s left";
    }

    private void Draw(string line)
    {
        int room = terminalWidth!.Value - 1;
        line = line.Length > room ? line[..room] : line;
        writer.Write('\r' + line.PadRight(Math.Min(_drawn, room)));
        _drawn = line.Length;
        writer.Flush();
    }

    /// <summary>Takes the line away, so that what follows starts on a clean one.</summary>
    public void Clear()
    {
        if (_drawn == 0)
            return;
        writer.Write('\r' + new string(' ', _drawn) + '\r');
        _drawn = 0;
        writer.Flush();
    }
}
