using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Attention;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

public sealed record InspectOptions(string Model)
{
    public ReadOptions Reading { get; init; } = ReadOptions.Default;

    /// <summary>Shapes to use for inputs whose own are not fixed.</summary>
    public IReadOnlyDictionary<string, Shape> InputShapes { get; init; } = new Dictionary<string, Shape>();
}

/// <param name="Shape">Numbers, names of symbolic dimensions, and null for unknown ones; null when the rank is not known.</param>
public sealed record InspectedValue(string Name, string Type, IReadOnlyList<object?>? Shape);

/// <param name="PeakActivationBytes">The activations alive at once, at most.</param>
/// <param name="ActivationBytes">All activations that a run makes.</param>
/// <param name="MovedBytes">What a run reads and writes.</param>
public sealed record InspectedMemory(long WeightBytes, long PeakActivationBytes, string? PeakNode, TensorCost? LargestTensor, long ActivationBytes, long MovedBytes);

/// <summary>What is in a model.</summary>
/// <param name="Nodes">How many, in all graphs of the model.</param>
/// <param name="NodeCosts">What each node costs that computes something from an input, most multiply-accumulate operations first, then most bytes moved.</param>
/// <param name="Attention">Null for a graph with errors, and where weights are missing.</param>
/// <param name="Findings">What <c>check</c> says of the model.</param>
/// <param name="UncountedNodes">Products and convolutions that are not in <paramref name="Macs"/>, because a shape is not known.</param>
public sealed record InspectReport(
    int SchemaVersion,
    string Model,
    ModelKind Kind,
    long IrVersion,
    IReadOnlyDictionary<string, long> Opsets,
    string Producer,
    long FileBytes,
    IReadOnlyList<InspectedValue> Inputs,
    IReadOnlyList<InspectedValue> Outputs,
    long Parameters,
    MacCounts Macs,
    int Nodes,
    IReadOnlyDictionary<string, int> NodesByKind,
    InspectedMemory Memory,
    IReadOnlyList<string> UncountedNodes,
    IReadOnlyList<string> SymbolicDimensions,
    StructureCounts Structure,
    IReadOnlyList<NodeCost> NodeCosts,
    AttentionSurvey? Attention,
    IReadOnlyList<Diagnostic> Findings);

public sealed record ComparedQuantity(long Before, long After)
{
    /// <summary>After by before; null where nothing was before.</summary>
    public double? Ratio => Before == 0 ? null : (double)After / Before;
}

/// <summary>Two models side by side.</summary>
/// <param name="Quantities">By the name that it has in the report, in the order of interest.</param>
public sealed record InspectComparison(int SchemaVersion, InspectReport Before, InspectReport After, IReadOnlyDictionary<string, ComparedQuantity> Quantities)
{
    public static InspectComparison Of(InspectReport before, InspectReport after)
    {
        var quantities = new Dictionary<string, ComparedQuantity>(StringComparer.Ordinal);
        foreach ((string name, Func<InspectReport, long> of) in Compared)
            quantities[name] = new ComparedQuantity(of(before), of(after));
        return new InspectComparison(1, before, after, quantities);
    }

    private static IReadOnlyList<(string Name, Func<InspectReport, long> Of)> Compared { get; } =
    [
        ("parameters", r => r.Parameters),
        ("fileBytes", r => r.FileBytes),
        ("nodes", r => r.Nodes),
        ("macs", r => r.Macs.Total),
        ("linear", r => r.Macs.Linear),
        ("attention", r => r.Macs.Attention),
        ("relativePosition", r => r.Macs.RelativePosition),
        ("largestTensor", r => r.Memory.LargestTensor?.Bytes ?? 0),
        ("peakActivationBytes", r => r.Memory.PeakActivationBytes),
        ("activationBytes", r => r.Memory.ActivationBytes),
        ("movedBytes", r => r.Memory.MovedBytes),
    ];
}

/// <summary>Looks into a model without running it.</summary>
public static class InspectJob
{
    /// <summary>Looks into two models with the same options.</summary>
    public static InspectComparison Compare(InspectOptions options, string other) => InspectComparison.Of(Run(options), Run(options with { Model = other }));

    public static InspectReport Run(InspectOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        using Model model = ModelSource.Read(options.Model, options.Reading with { AllowMissingData = true });
        IReadOnlyList<Diagnostic> findings = GraphChecker.Check(model);
        SetInputShapes(model, options.InputShapes);
        findings = [.. findings, .. ShapeInference.Infer(model).Diagnostics.Where(d => d.Severity == Severity.Error)];
        ModelCost cost = CostModel.Measure(model);
        List<Node> nodes = [.. model.AllGraphs().SelectMany(g => g.Nodes)];
        return new InspectReport(
            1,
            options.Model,
            ModelKinds.Recognize(model),
            model.IrVersion,
            Opsets(model),
            $"{model.ProducerName} {model.ProducerVersion}".Trim(),
            ModelSource.FileBytes(model, options.Model),
            [.. model.Graph.Inputs.Where(i => i.Initializer is null).Select(Describe)],
            [.. model.Graph.Outputs.Select(Describe)],
            cost.Parameters,
            cost.Macs,
            nodes.Count,
            ByKind(nodes),
            new InspectedMemory(OnnxWriter.TensorBytes(model), cost.PeakActivationBytes, cost.PeakNode, cost.LargestTensor, cost.ActivationBytes, cost.MovedBytes),
            cost.Uncounted,
            [.. model.Graph.Inputs.Where(i => i.Initializer is null && i.Shape is not null).SelectMany(i => i.Shape!).Where(d => d.Value is null).Select(d => d.ToString()).Distinct()],
            ModelStructure.Count(model),
            [.. cost.Nodes.OrderByDescending(n => n.Macs).ThenByDescending(n => n.MovedBytes)],
            Survey(model, findings),
            findings);
    }

    /// <summary>Reads the attentions. Cleans the model up for it, and so comes last.</summary>
    private static AttentionSurvey? Survey(Model model, IReadOnlyList<Diagnostic> findings)
    {
        bool lacksData = model.AllGraphs().Any(g => g.Initializers.Any(i => i.Initializer is { IsMissing: true }) || g.Nodes.Any(n => n.Attributes.Any(a => a.Tensors.Any(t => t.IsMissing))));
        if (lacksData || findings.Any(d => d.Severity == Severity.Error))
            return null;
        new PassPipeline(StandardPipeline.Cleanup).Run(model, new PassContext { Evaluator = new OnnxConstantEvaluator() });
        return AttentionSurvey.Of(model);
    }

    private static void SetInputShapes(Model model, IReadOnlyDictionary<string, Shape> shapes)
    {
        foreach ((string name, Shape shape) in shapes)
        {
            Value input = model.Graph.Inputs.FirstOrDefault(i => i.Name == name)
                ?? throw new SamCompressException(
                    FailureKind.Usage,
                    $"--input-shape: the model has no input '{name}'",
                    $"its inputs are {string.Join(", ", model.Graph.Inputs.Where(i => i.Initializer is null).Select(i => i.Name))}.");
            if (input.Shape is { } declared && (declared.Rank != shape.Rank || declared.Zip(shape).Any(d => d.First.Value is { } value && value != d.Second.Value)))
                throw new SamCompressException(FailureKind.Usage, $"--input-shape: input '{name}' has shape {declared}, which {shape} does not fit");
            input.Shape = shape;
        }
    }

    private static Dictionary<string, long> Opsets(Model model)
    {
        var opsets = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (OpsetImport import in model.OpsetImports)
            opsets[import.Domain.Length == 0 ? "ai.onnx" : import.Domain] = import.Version;
        return opsets;
    }

    private static Dictionary<string, int> ByKind(List<Node> nodes) => nodes
        .GroupBy(n => n.Domain.Length == 0 ? n.OpType : $"{n.Domain}.{n.OpType}", StringComparer.Ordinal)
        .OrderByDescending(g => g.Count())
        .ThenBy(g => g.Key, StringComparer.Ordinal)
        .ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);

    private static InspectedValue Describe(Value value) => new(value.Name, value.ElementType.TextName(), value.Shape?.Select(d => d.Value ?? (object?)d.Parameter).ToList());
}
