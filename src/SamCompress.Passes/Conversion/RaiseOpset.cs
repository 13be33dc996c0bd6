using System.Collections.Frozen;
using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Passes.Conversion;

/// <summary>
/// Raises the version of the standard operators from 13 or later to 18, where Resize has antialiasing:
/// <code>
/// ReduceMean {axes, ...} (x)   =>  ReduceMean {...} (x, axes)     and the other reductions
/// Split {...} (x) to n parts   =>  Split {..., num_outputs = n} (x)
/// </code>
/// </summary>
/// <remarks>
/// Exact: what ONNX's own version converter does between these versions. Guards: every operator is the same in both versions, only takes more types or has more
/// optional inputs and attributes, or is one of those above; the model has no functions, whose versions are their own. A model of opset 18 or later stays as it is.
/// </remarks>
public sealed class RaiseOpset : Pass
{
    public const long Version = 18;

    /// <summary>The oldest version from which it is known what changed.</summary>
    private const long Oldest = 13;

    /// <summary>The first version of the file format for that opset.</summary>
    private const long IrVersion = 8;

    /// <summary>Operators whose later version means the same in a node of the earlier one.</summary>
    private static readonly FrozenSet<string> Extended = new[]
    {
        "Add", "CumSum", "Div", "GRU", "GreaterOrEqual", "Identity", "If", "LSTM", "LeakyRelu", "LessOrEqual", "Loop", "LpPool", "Mul", "PRelu", "Pad", "Pow", "RNN", "Relu",
        "Reshape", "Resize", "Scan", "ScatterElements", "ScatterND", "Shape", "Sub", "Where",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Reductions = new[]
    {
        "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSumSquare",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <exception cref="SamCompressException">Unsupported: an older opset, functions, or operators that mean something else in the later version.</exception>
    public override void Require(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        long opset = model.Opset();
        if (opset >= Version)
            return;
        if (opset < Oldest)
            throw Refused($"opset {opset} cannot be raised to {Version}: what changed before {Oldest} is not known here", model);
        if (model.Functions.Count > 0)
            throw Refused($"opset {opset} cannot be raised to {Version}: the model has functions", model);
        string[] changed = [.. NodesOf(model).Where(n => !IsKept(n, opset) && !IsRewritten(n)).Select(n => n.OpType).Distinct().Order(StringComparer.Ordinal)];
        if (changed.Length > 0)
            throw Refused($"opset {opset} cannot be raised to {Version}, where these operators mean something else: {SafeText.Of(string.Join(", ", changed))}", model);
    }

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        Require(model);
        // One step: a part of it would be no model.
        if (model.Opset() >= Version || (model.Graph.Nodes.FirstOrDefault() is { } first && !context.Step(first, $"raise the opset to {Version}")))
            return 0;
        foreach (Node node in NodesOf(model))
        {
            if (Reductions.Contains(node.OpType))
                MoveAxes(node);
            else if (node.OpType == "Split" && node.Input(1) is null)
                node.SetAttribute(NodeAttribute.Of("num_outputs", (long)node.Outputs.Count));
        }

        model.SetOpset(OperatorDomain.Onnx, Version);
        model.IrVersion = Math.Max(model.IrVersion, IrVersion);
        return 1;
    }

    private static bool IsKept(Node node, long opset) =>
        Extended.Contains(node.OpType)
        || (node.OpType == "BatchNormalization" && node.Outputs.Count == 1) // further outputs are of training, which changed
        || OperatorSchemas.Find(OperatorDomain.Onnx, node.OpType, opset)?.SinceVersion == OperatorSchemas.Find(OperatorDomain.Onnx, node.OpType, Version)?.SinceVersion;

    private static bool IsRewritten(Node node) => Reductions.Contains(node.OpType) || node.OpType == "Split";

    private static void MoveAxes(Node node)
    {
        if (node.GetInts("axes") is not { } axes)
            return;
        Graph graph = node.Graph!;
        node.ResizeInputs(2);
        node.ReplaceInput(1, graph.AddInitializer(graph.FreshName(node.Output.Name + "_axes"), Tensor.Vector([.. axes])));
        node.RemoveAttribute("axes");
    }

    private static IEnumerable<Node> NodesOf(Model model) => model.AllGraphs().SelectMany(g => g.Nodes).Where(n => n.Domain == OperatorDomain.Onnx);

    private static SamCompressException Refused(string why, Model model) =>
        new(FailureKind.Unsupported, why, $"export the model with opset {Version}") { Location = model.Path };
}
