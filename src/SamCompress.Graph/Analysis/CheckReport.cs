namespace SamCompress.IR.Analysis;

/// <summary>Collects findings. A rule that is broken everywhere is listed a limited number of times, and then counted.</summary>
internal sealed class CheckReport
{
    private const int MaxPerRule = 50;

    private readonly List<Diagnostic> _diagnostics = [];
    private readonly SortedDictionary<(string Id, Severity Severity), int> _counts = [];

    public void Error(string id, string where, string message) => Add(id, Severity.Error, where, message);

    public void Warning(string id, string where, string message) => Add(id, Severity.Warning, where, message);

    public void Add(string id, Severity severity, string where, string message)
    {
        int count = _counts[(id, severity)] = _counts.GetValueOrDefault((id, severity)) + 1;
        if (count <= MaxPerRule)
            _diagnostics.Add(new Diagnostic(id, severity, SafeText.Of(where), message));
    }

    /// <summary>In the order in which they were found, with a line for each rule that was broken more often than listed.</summary>
    public IReadOnlyList<Diagnostic> Finish()
    {
        foreach (((string id, Severity severity), int count) in _counts)
        {
            if (count > MaxPerRule)
                _diagnostics.Add(new Diagnostic(id, severity, "model", $"{count - MaxPerRule} more like this"));
        }

        return _diagnostics;
    }
}
