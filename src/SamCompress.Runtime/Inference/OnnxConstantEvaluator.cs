using SamCompress.IR;
using SamCompress.Passes;

namespace SamCompress.Runtime.Inference;

/// <summary>Evaluates constant regions of a graph in ONNX Runtime, in one session each, without any rewriting.</summary>
public sealed class OnnxConstantEvaluator : IConstantEvaluator
{
    /// <summary>A region runs once: threads and memory plans would cost more than they save.</summary>
    private static readonly SessionSettings Settings = new()
    {
        Optimization = GraphOptimization.None,
        Threads = 1,
        UseMemoryArena = false,
        UseMemoryPattern = false,
    };

    private static readonly Dictionary<string, RuntimeTensor> NoInputs = [];

    /// <exception cref="SamCompressException">The native library is missing or too old.</exception>
    public IReadOnlyList<Tensor>? Evaluate(Model model, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(model);
        _ = OnnxSession.RuntimeVersion;
        try
        {
            using OnnxSession session = OnnxSession.Open(model, Settings);
            if (session.Outputs.Any(o => o.ElementType is ElementType.Undefined or ElementType.String or > ElementType.BFloat16))
                return null;
            using RuntimeTensors results = session.Run(NoInputs, cancellationToken: cancellation);
            return [.. model.Graph.Outputs.Select(o => results[o.Name].ToTensor())];
        }
        catch (SamCompressException e) when (e.Kind == FailureKind.Runtime)
        {
            // The contract: the caller keeps the nodes, and reports that they stay.
            return null;
        }
    }
}
