using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes;

/// <summary>What passes are given besides the model, and where they leave what they noticed. One per run of a pipeline.</summary>
public sealed class PassContext
{
    private readonly List<Diagnostic> _diagnostics = [];
    private readonly Dictionary<string, Rejection> _nearestMisses = new(StringComparer.Ordinal);

    /// <summary>Evaluates what is constant but not worth own code; null leaves such nodes in the graph.</summary>
    public IConstantEvaluator? Evaluator { get; init; }

    /// <summary>
    /// How many bytes more than its inputs the folded result of a node may take. Default: 512 KiB, which holds the gathered relative positions of SAM's
    /// windows, but not those of its global blocks, which are a twelfth of a quantized ViT-B; ONNX Runtime gathers them when it opens the model.
    /// </summary>
    public long FoldingBudget { get; init; } = 1 << 19;

    public StepLog Steps { get; init; } = new();

    public CancellationToken Cancellation { get; init; }

    public IReadOnlyList<Diagnostic> Diagnostics => _diagnostics;

    /// <summary>For each rule that came near, the candidate that matched most of its pattern and why it was refused.</summary>
    public IReadOnlyDictionary<string, Rejection> NearestMisses => _nearestMisses;

    /// <summary>The pass that runs now.</summary>
    internal string CurrentPass { get; set; } = "";

    /// <summary>Asks whether the next edit may be made, and logs it if so. Honours cancellation.</summary>
    /// <param name="where">The node that is replaced, removed or changed.</param>
    /// <param name="what">What happens, starting with the rule's name if there is one.</param>
    /// <returns>False once the step log's limit is reached: the pass must leave the graph alone.</returns>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public bool Step(Node where, string what)
    {
        Cancellation.ThrowIfCancellationRequested();
        return Steps.TryNext(CurrentPass, where, what);
    }

    public void Report(Diagnostic diagnostic) => _diagnostics.Add(diagnostic);

    public void Report(string id, Severity severity, string where, string message) => Report(new Diagnostic(id, severity, where, message));

    internal void Missed(Rejection rejection)
    {
        if (!_nearestMisses.TryGetValue(rejection.Rule, out Rejection? nearest) || rejection.MatchedNodes > nearest.MatchedNodes)
            _nearestMisses[rejection.Rule] = rejection;
    }
}
