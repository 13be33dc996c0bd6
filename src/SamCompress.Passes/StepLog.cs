using System.Globalization;
using SamCompress.IR;

namespace SamCompress.Passes;

/// <summary>One edit of the graph.</summary>
/// <param name="Number">Counts from 1 over the whole run.</param>
/// <param name="Pass">The pass that made it.</param>
/// <param name="Where">The node, as text: it may be gone.</param>
public sealed record Step(int Number, string Pass, string Where, string What)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number} {Pass}: {Where}: {What}");
}

/// <summary>Numbers every edit. With a limit, no edit after it is made, so that the edit which breaks a model is found by bisection.</summary>
public sealed class StepLog
{
    private readonly List<Step> _steps = [];

    /// <summary>The number of the last edit that is made. Default: no limit.</summary>
    public int Limit { get; init; } = int.MaxValue;

    /// <summary>Whether steps are kept; counting is done in any case. Default: no.</summary>
    public bool IsRecording { get; init; }

    /// <summary>How many edits were made.</summary>
    public int Count { get; private set; }

    /// <summary>The edits in order, if <see cref="IsRecording"/>.</summary>
    public IReadOnlyList<Step> Steps => _steps;

    /// <summary>The last edit made, or null.</summary>
    public Step? Last { get; private set; }

    internal bool TryNext(string pass, Node where, string what)
    {
        if (Count >= Limit)
            return false;
        Count++;
        if (IsRecording)
            _steps.Add(Last = new Step(Count, pass, where.ToString(), what));
        return true;
    }
}
