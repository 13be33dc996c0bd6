using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Passes.Cleanup;

/// <summary>
/// Replaces what can be computed now by initializers: shape arithmetic (Shape, Gather, Concat, ... of known dimensions) and nodes all of whose inputs are constant.
/// </summary>
/// <remarks>
/// Exact. Integers are computed by shape inference; reshapes, transposes and casts of weights when they are read, so that no copy stays in memory;
/// everything else by the context's evaluator, a whole region in one call.
/// Not folded: random operators; DequantizeLinear, which would undo a compression; operators with subgraphs or of other domains; divisions that could trap; results that take
/// more than their inputs and the folding budget together; graph outputs.
/// </remarks>
public sealed class FoldConstants : Pass
{
    private const int MostRounds = 16;

    private static readonly HashSet<string> Unfoldable =
        ["RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout", "DequantizeLinear", "Constant"];

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        for (int round = 0; round < MostRounds; round++)
        {
            ShapeFacts facts = ShapeInference.Infer(model);
            changes += FoldKnownElements(model, facts, context);
            changes += FoldWeights(model, context);
            int evaluated = context.Evaluator is null ? 0 : FoldRegion(model, context);
            changes += evaluated;
            if (evaluated == 0)
                break;
        }

        return changes;
    }

    /// <summary>Integer tensors all of whose elements shape inference knows.</summary>
    private static int FoldKnownElements(Model model, ShapeFacts facts, PassContext context)
    {
        int changes = 0;
        foreach (Graph graph in Constants.GraphsOf(model))
        {
            // From the end, so that what only feeds a folded value is removed before it is looked at.
            foreach (Node node in graph.Nodes.Backwards())
            {
                foreach (Value? output in node.Outputs)
                {
                    if (output is not { IsGraphOutput: false, Uses.Count: > 0 } || KnownTensor(output, facts) is not { } tensor)
                        continue;
                    if (!context.Step(node, $"'{output.Name}' is known"))
                        return changes;
                    Constants.Replace(output, tensor);
                    changes++;
                }

                if (changes > 0 && node.Outputs.All(o => o is null or { IsUsed: false }))
                    graph.Remove(node);
            }
        }

        return changes;
    }

    private static Tensor? KnownTensor(Value value, ShapeFacts facts)
    {
        if (!facts.TryGetElements(value, out IReadOnlyList<Dimension>? elements) || elements.Any(e => e.Value is null) || value.Shape?.ToStatic() is not { } shape)
            return null;
        long[] numbers = [.. elements.Select(e => e.Value!.Value)];
        return value.ElementType switch
        {
            ElementType.Int64 => Tensor.Of(numbers, shape),
            ElementType.Int32 => Tensor.Of<int>(ElementType.Int32, Array.ConvertAll(numbers, n => (int)n), shape),
            ElementType.Bool or ElementType.UInt8 => Tensor.Of<byte>(value.ElementType, Array.ConvertAll(numbers, n => (byte)n), shape),
            ElementType.Int8 => Tensor.Of<sbyte>(ElementType.Int8, Array.ConvertAll(numbers, n => (sbyte)n), shape),
            _ => null,
        };
    }

    private static int FoldWeights(Model model, PassContext context)
    {
        int changes = 0;
        foreach (Graph graph in Constants.GraphsOf(model))
        {
            foreach (Node node in graph.Nodes)
            {
                if (LazyFolding.TryFold(node) is not { } tensor || !context.Step(node, "is done when the weight is read"))
                    continue;
                Constants.Replace(node.Output, tensor);
                graph.Remove(node);
                changes++;
            }
        }

        return changes;
    }

    /// <summary>All nodes that depend on constants only, evaluated together.</summary>
    private static int FoldRegion(Model model, PassContext context)
    {
        int changes = 0;
        foreach (Graph graph in Constants.GraphsOf(model))
        {
            List<Node> region = FindRegion(graph, context.FoldingBudget);
            if (region.Count == 0)
                continue;
            var inside = new HashSet<Node>(region);
            List<Value> wanted = [.. region.SelectMany(n => n.Outputs.OfType<Value>()).Where(v => v.Uses.Any(u => !inside.Contains(u.Node)))];
            if (Evaluate(model, region, wanted, context) is { } results)
            {
                changes += Fold(wanted, results, context);
            }
            else
            {
                // One node that cannot be evaluated must not keep the others from being folded.
                foreach (Value value in wanted)
                {
                    if (Evaluate(model, Ancestors(value, inside), [value], context) is { } result)
                        changes += Fold([value], result, context);
                    else
                        context.Report("SC4201", Severity.Info, value.Producer!.ToString(), "is constant but cannot be evaluated here");
                }
            }

            foreach (Node node in Enumerable.Reverse(region))
            {
                if (changes > 0 && node.Outputs.All(o => o is null or { IsUsed: false }))
                    graph.Remove(node);
            }
        }

        return changes;
    }

    private static int Fold(List<Value> values, IReadOnlyList<Tensor> tensors, PassContext context)
    {
        int changes = 0;
        for (int i = 0; i < values.Count; i++)
        {
            if (!context.Step(values[i].Producer!, $"'{values[i].Name}' is constant"))
                break;
            Constants.Replace(values[i], tensors[i]);
            changes++;
        }

        return changes;
    }

    private static List<Node> FindRegion(Graph graph, long budget)
    {
        var region = new List<Node>();
        var constant = new HashSet<Value>();
        foreach (Node node in graph.Nodes)
        {
            if (!IsFoldable(node) || !node.Inputs.All(i => i is null || i.Constant is not null || constant.Contains(i)) || !FitsBudget(node, budget))
                continue;
            region.Add(node);
            constant.UnionWith(node.Outputs.OfType<Value>());
        }

        return region;
    }

    private static bool IsFoldable(Node node) =>
        node.Domain.Length == 0
        && !Unfoldable.Contains(node.OpType)
        && !MayTrap(node)
        && node.Inputs.Count > 0
        && !node.Subgraphs.Any()
        && node.Outputs.All(o => o is null or { IsGraphOutput: false, ElementType: not (ElementType.Undefined or ElementType.String), Shape.IsStatic: true });

    /// <summary>
    /// Whether the processor may trap: a division of integers by zero, or of the least one by -1, ends the process that evaluates it. The divisor must be
    /// there to be looked at.
    /// </summary>
    private static bool MayTrap(Node node)
    {
        if (node.OpType is not ("Div" or "Mod") || node.Input(1) is not { } divisor || divisor.ElementType.IsFloatingPoint())
            return false;
        return divisor.Constant is not { IsMissing: false, ElementType: not ElementType.UInt64 } constant || constant.ToInt64s().AsSpan().ContainsAny(0L, -1L);
    }

    private static bool FitsBudget(Node node, long budget)
    {
        long inputs = node.Inputs.Sum(i => i?.Shape?.ElementCount is { } count ? i.ElementType.ByteLength(count) : 0);
        long outputs = node.Outputs.Sum(o => o?.Shape?.ElementCount is { } count ? o.ElementType.ByteLength(count) : 0);
        return outputs - inputs <= budget;
    }

    private static List<Node> Ancestors(Value value, HashSet<Node> region)
    {
        var found = new HashSet<Node>();
        var pending = new Stack<Node>([value.Producer!]);
        while (pending.TryPop(out Node? node))
        {
            if (!region.Contains(node) || !found.Add(node))
                continue;
            foreach (Value? input in node.Inputs)
            {
                if (input?.Producer is { } producer)
                    pending.Push(producer);
            }
        }

        return [.. value.Graph!.Nodes.Where(found.Contains)];
    }

    private static IReadOnlyList<Tensor>? Evaluate(Model model, List<Node> region, List<Value> wanted, PassContext context)
    {
        using var part = new Model(model.IrVersion, model.OpsetImports, "constants");
        var copies = new Dictionary<Value, Value>();
        Value Copy(Value value) =>
            copies.TryGetValue(value, out Value? copy) ? copy : copies[value] = part.Graph.AddInitializer(value.Name, value.Constant!);
        foreach (Node node in region)
        {
            Node twin = part.Graph.Append(node.OpType, [.. node.Inputs.Select(i => i is null ? null : Copy(i))], [.. node.Outputs.Select(o => o?.Name ?? "")], node.Attributes, node.Domain, node.Name);
            for (int i = 0; i < twin.Outputs.Count; i++)
            {
                if (twin.Outputs[i] is not { } output)
                    continue;
                copies[node.Outputs[i]!] = output;
                output.ElementType = node.Outputs[i]!.ElementType;
                output.Shape = node.Outputs[i]!.Shape;
            }
        }

        foreach (Value value in wanted)
            part.Graph.AddOutput(copies[value]);
        return context.Evaluator!.Evaluate(part, context.Cancellation);
    }
}
