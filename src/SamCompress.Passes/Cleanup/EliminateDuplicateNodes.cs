using System.Globalization;
using System.Text;
using SamCompress.IR;

namespace SamCompress.Passes.Cleanup;

/// <summary>Keeps one of several nodes with the same operator, inputs and attributes: y = f(x), z = f(x) => y, with z replaced by y.</summary>
/// <remarks>
/// Exact. Not merged: random operators, nodes with subgraphs, nodes that give graph outputs, nodes in different graphs.
/// One sweep suffices, because the inputs of a node have been merged before it is met.
/// </remarks>
public sealed class EliminateDuplicateNodes : Pass
{
    private static readonly HashSet<string> Random = ["RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout"];

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        foreach (Graph graph in Constants.GraphsOf(model))
        {
            var kept = new Dictionary<string, Node>(StringComparer.Ordinal);
            foreach (Node node in graph.Nodes)
            {
                if (Random.Contains(node.OpType) || node.Outputs.Any(o => o is { IsGraphOutput: true }) || KeyOf(node) is not { } key)
                    continue;
                if (kept.TryAdd(key, node) || !context.Step(node, $"is the same as {kept[key]}"))
                    continue;
                for (int i = 0; i < node.Outputs.Count; i++)
                    node.Outputs[i]?.ReplaceUsesWith(kept[key].Outputs[i]!);
                graph.Remove(node);
                changes++;
            }
        }

        return changes;
    }

    /// <summary>Equal for equal nodes; null for nodes that are not compared.</summary>
    private static string? KeyOf(Node node)
    {
        if (OperatorOf(node) is not { } text)
            return null;
        var key = new StringBuilder(text);
        // Names are unique within all graphs around a node, so they stand for the values.
        foreach (Value? input in node.Inputs)
            key.Append('|').Append(input?.Name.Length ?? -1).Append(':').Append(input?.Name);
        foreach (Value? output in node.Outputs)
            key.Append(output is null ? '-' : '+');
        return key.ToString();
    }

    /// <summary>Equal for nodes with the same operator and attributes; null for one whose attributes are not compared.</summary>
    internal static string? OperatorOf(Node node)
    {
        var key = new StringBuilder();
        key.Append(node.Domain).Append('|').Append(node.OpType);
        foreach (NodeAttribute attribute in node.Attributes.OrderBy(a => a.Name, StringComparer.Ordinal))
        {
            key.Append('|').Append(attribute.Name).Append('=').Append((int)attribute.Kind).Append(':');
            if (!AppendValue(key, attribute))
                return null;
        }

        return key.ToString();
    }

    private static bool AppendValue(StringBuilder key, NodeAttribute attribute)
    {
        CultureInfo invariant = CultureInfo.InvariantCulture;
        switch (attribute.Kind)
        {
            case AttributeKind.Int:
                key.Append(invariant, $"{attribute.Int}");
                return true;
            case AttributeKind.Float:
                key.Append(invariant, $"{BitConverter.SingleToInt32Bits(attribute.Float)}");
                return true;
            case AttributeKind.String:
                key.Append(Convert.ToHexString(attribute.StringBytes.Span));
                return true;
            case AttributeKind.Ints:
                key.AppendJoin(',', attribute.Ints);
                return true;
            case AttributeKind.Floats:
                key.AppendJoin(',', attribute.Floats.Select(BitConverter.SingleToInt32Bits));
                return true;
            case AttributeKind.Tensor when attribute.Tensor is { ElementType: not ElementType.String, ByteLength: <= 1024 } tensor:
                using (TensorLease lease = tensor.Open())
                    key.Append(tensor.ToString()).Append(Convert.ToHexString(lease.Bytes));
                return true;
            default:
                return false;
        }
    }
}
