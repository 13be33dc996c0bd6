using System.Diagnostics;

namespace SamCompress.Cli.Jobs;

/// <summary>Times the stages of a job, and is the point at which a job can be cancelled between two of them.</summary>
internal sealed class StageClock(IJobProgress progress, CancellationToken cancellation)
{
    private readonly List<ReportedStage> _stages = [];
    private string? _current;
    private long _start;

    /// <summary>The stages done, and the current one as far as it is.</summary>
    public IReadOnlyList<ReportedStage> Stages => _current is null ? _stages : [.. _stages, new ReportedStage(_current, Elapsed)];

    private double Elapsed => Stopwatch.GetElapsedTime(_start).TotalSeconds;

    public void Start(string name)
    {
        cancellation.ThrowIfCancellationRequested();
        if (_current is not null)
            _stages.Add(new ReportedStage(_current, Elapsed));
        _current = name;
        _start = Stopwatch.GetTimestamp();
        progress.Stage(name);
    }
}
