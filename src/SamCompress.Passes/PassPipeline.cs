using System.Diagnostics;
using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Passes;

/// <summary>What one pass did.</summary>
/// <param name="Milliseconds">Without the checks before and after it.</param>
/// <param name="Nodes">In all graphs of the model, afterwards.</param>
public sealed record PassRecord(string Name, int Changes, double Milliseconds, int Nodes);

/// <summary>A pass failed, or left a broken model behind. The cause is the inner exception.</summary>
public sealed class PassException(string pass, IReadOnlyList<string> passesBefore, string message, Exception? innerException = null)
    : Exception(
        $"pass {pass} failed after [{string.Join(", ", passesBefore)}]: {message}",
        innerException)
{
    public string Pass { get; } = pass;

    public IReadOnlyList<string> PassesBefore { get; } = passesBefore;
}

/// <summary>Runs passes in the order given and checks the model after each, in every build.</summary>
public sealed class PassPipeline(params IEnumerable<Pass> passes)
{
    public IReadOnlyList<Pass> Passes { get; } = [.. passes];

    /// <summary>The name of the pass after which to stop; null runs all.</summary>
    public string? StopAfter { get; init; }

    /// <summary>Called after each pass, for dumps.</summary>
    public Action<PassRecord, Model>? AfterPass { get; init; }

    /// <summary>Finds what is broken in a model; called before the first pass and after each.</summary>
    public Func<Model, IReadOnlyList<Diagnostic>> Check { get; init; } = model => GraphChecker.Check(model);

    /// <returns>One record for each pass that ran, in order.</returns>
    /// <exception cref="SamCompressException">The model is not one that the passes can work on, or <see cref="StopAfter"/> names no pass.</exception>
    /// <exception cref="PassException">A pass has a bug.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public IReadOnlyList<PassRecord> Run(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        if (StopAfter is not null && !Passes.Any(p => p.Name == StopAfter))
            throw new SamCompressException(FailureKind.Usage, $"there is no pass '{StopAfter}'", "passes are: " + string.Join(", ", Passes.Select(p => p.Name).Distinct()));
        CheckInput(model, context);
        var records = new List<PassRecord>();
        foreach (Pass pass in Passes)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            PassRecord record = RunPass(pass, model, context, [.. records.Select(r => r.Name)]);
            records.Add(record);
            AfterPass?.Invoke(record, model);
            if (pass.Name == StopAfter)
                break;
        }

        return records;
    }

    /// <summary>Refuses a model that breaks a rule of the format; what only looks wrong is reported, once.</summary>
    private void CheckInput(Model model, PassContext context)
    {
        IReadOnlyList<Diagnostic> findings = Check(model);
        Diagnostic[] errors = [.. findings.Where(d => d.Severity == Severity.Error)];
        if (errors is [var first, ..])
        {
            FailureKind kind = first.Id.StartsWith("SC4", StringComparison.Ordinal) ? FailureKind.Unsupported : FailureKind.InputRejected;
            string? hint = errors.Length > 1 ? $"'samcompress check' lists all {errors.Length} problems." : null;
            throw new SamCompressException(kind, $"{first.Where}: {first.Message} ({first.Id})", hint) { Location = model.Path };
        }

        foreach (Diagnostic finding in findings.Except(context.Diagnostics))
            context.Report(finding);
    }

    private PassRecord RunPass(Pass pass, Model model, PassContext context, IReadOnlyList<string> before)
    {
        context.CurrentPass = pass.Name;
        try
        {
            pass.Require(model);
            long start = Stopwatch.GetTimestamp();
            int changes = pass.Apply(model, context);
            double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            pass.Ensure(model);
            if (Check(model).FirstOrDefault(d => d.Severity == Severity.Error) is { } broken)
                throw new InvariantException($"{broken.Where}: {broken.Message} ({broken.Id})");
            return new PassRecord(pass.Name, changes, milliseconds, model.AllGraphs().Sum(g => g.Nodes.Count));
        }
        catch (Exception e) when (e is not (SamCompressException or OperationCanceledException or OutOfMemoryException))
        {
            string step = context.Steps.Last is { } last ? $" (last step: {last})" : "";
            throw new PassException(pass.Name, before, e.Message + step, e);
        }
    }
}
