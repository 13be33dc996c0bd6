using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Targets;

/// <summary>Holds an artifact to the rules of its target. Looks at what is in the graph, not at the plan that it came from.</summary>
public static class TargetCheck
{
    /// <summary>One diagnostic for each breach, in graph order; errors where the target would refuse the artifact or compute something else, warnings where it would be slow.</summary>
    public static IReadOnlyList<Diagnostic> Check(Model artifact, TargetDescription target)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        ArgumentNullException.ThrowIfNull(target);
        var check = new GraphCheck(target);
        if (artifact.Opset() < target.LowestOpset)
            check.Report("SC3201", Severity.Error, artifact.Graph.Name, $"opset {artifact.Opset()}: {target.Name} takes models from opset {target.LowestOpset} on");
        foreach (Node node in artifact.AllGraphs().SelectMany(g => g.Nodes))
            check.Visit(node);
        return check.Found;
    }

    private sealed class GraphCheck(TargetDescription target)
    {
        private readonly List<Diagnostic> _found = [];

        public IReadOnlyList<Diagnostic> Found => _found;

        public void Report(string id, Severity severity, string where, string message) => _found.Add(new Diagnostic(id, severity, where, message));

        public void Visit(Node node)
        {
            if (node.Domain != OperatorDomain.Onnx && !target.ContributedOperators)
                Error("SC3202", node, $"is an operator of {node.Domain}, and {target.Name} takes standard operators only");
            switch (node.OpType)
            {
                case "QuantizeLinear":
                    CheckActivation(node);
                    break;
                case "DequantizeLinear" when node.Input(0) is { Constant: { } weight }:
                    CheckWeight(node, weight.ElementType, node.Input(2));
                    break;
                case "DequantizeLinear":
                    CheckScaleOfActivation(node);
                    break;
                case "MatMulIntegerToFloat" when node.Input(1)?.Constant is { } matrix:
                    CheckWeight(node, matrix.ElementType, node.Input(5));
                    CheckChannels(node, matrix);
                    break;
                case "ConvInteger" when node.Input(1)?.Constant is { } filter:
                    CheckUnsignedWeight(node, filter);
                    break;
                case "MatMulNBits":
                    CheckNibbles(node);
                    break;
                case "MatMul" or "Gemm" or "Conv" when node.Input(1) is { } second && IsDequantized(second) && second.Producer!.Input(0)!.Constant is { } quantized:
                    CheckChannels(node, quantized);
                    break;
                default:
                    break;
            }

            CheckAttention(node);
            CheckStaysFloat(node);
        }

        private void CheckActivation(Node node)
        {
            ElementType type = node.Input(2)?.ElementType ?? ElementType.UInt8;
            if (type != target.ActivationType)
                Error("SC3204", node, $"makes {type.TextName()}, and activations of {target.Name} are {target.ActivationType.TextName()}");
            if (target.SymmetricActivations && !IsAll(node.Input(2), 0))
                Error("SC3203", node, $"has a zero point that is not 0, and {target.Name} wants 0");
            if (node.Input(1) is { Constant: { Count: > 1 } })
                Error("SC3206", node, "quantizes an activation with more than one scale");
        }

        /// <summary>Integer kernels take one scale. More are fine where nothing can be fused: before the Mul with the scales of the channels.</summary>
        private void CheckScaleOfActivation(Node node)
        {
            if (target.SymmetricActivations && !IsAll(node.Input(2), 0))
                Error("SC3203", node, $"has a zero point that is not 0, and {target.Name} wants 0");
            bool isScaledBehind = target.Conv.ScalesOutputChannels && node.Output.Uses.Count == 1 && node.Output.Uses[0].Node is { OpType: "Mul" } mul && mul.Inputs.Any(i => i?.Constant is not null);
            if (node.Input(1) is { Constant: { Count: > 1 } } && !isScaledBehind)
                Error("SC3206", node, "dequantizes an activation with more than one scale");
        }

        private void CheckWeight(Node node, ElementType type, Value? zeroPoint)
        {
            if (type is ElementType.Int4 && target.FewBits?.Form != LayerForm.Qdq)
                Error("SC3204", node, $"has a weight of 4 bits, which {target.Name} does not take in this form");
            else if (type is not (ElementType.Int8 or ElementType.Int4 or ElementType.Int32))
                Error("SC3204", node, $"has a weight of {type.TextName()}, and quantized weights are int8");
            if (!IsAll(zeroPoint, 0))
                Error("SC3205", node, "has a weight whose zero point is not 0");
        }

        private void CheckUnsignedWeight(Node node, Tensor filter)
        {
            if (filter.ElementType != ElementType.UInt8 || !IsAll(node.Input(3), 128) || node.Input(3) is null)
                Error("SC3205", node, "has a weight that is not uint8 around a zero point of 128");
            CheckChannels(node, filter);
        }

        private void CheckNibbles(Node node)
        {
            if (target.FewBits?.Form != LayerForm.IntegerOperator)
                Error("SC3204", node, $"has a weight of few bits, which {target.Name} does not take in this form");
            if (node.Input(3) is not null)
                Error("SC3205", node, "has a weight with zero points of its own");
        }

        private void CheckChannels(Node node, Tensor weight)
        {
            if (weight.Rank < 2 || (target.IsAligned(weight.Dimensions[0]) && target.IsAligned(weight.Dimensions[1] * (node.OpType is "Conv" or "ConvInteger" ? node.GetInt("group", 1) : 1))))
                return;
            Report("SC3207", Severity.Warning, node.ToString(), $"multiplies a weight [{string.Join(',', weight.Dimensions)}], and {target.Name} wants channels in multiples of {target.ChannelAlignment}");
        }

        private void CheckAttention(Node node)
        {
            bool isProduct = node.Is("MatMul") && node.Inputs.All(i => IsDequantized(i) && i!.Producer!.Input(0)!.Constant is null);
            if (!isProduct && !(node.OpType == "MatMulIntegerToFloat" && node.Input(1)?.Constant is null))
                return;
            if (target.AttentionMatMul.Execution != LayerExecution.Integer)
                Error("SC3209", node, $"is a quantized product of two activations, which {target.Name} multiplies in floating point");
            long tokens = node.Inputs.Take(2).Concat(node.Outputs).SelectMany(v => v?.Shape?.TakeLast(2) ?? []).Max(d => d.Value) ?? 0;
            if (target.LongestQuantizedAttention > 0 && tokens > target.LongestQuantizedAttention)
                Error("SC3209", node, $"quantizes attention of {tokens} tokens, and {target.Name} does so up to {target.LongestQuantizedAttention}");
        }

        private void CheckStaysFloat(Node node)
        {
            if (target.FloatOperators.Contains(node.OpType) && IsDequantized(node.Input(0)) && node.Outputs.Any(o => o is not null && o.Uses.Any(u => u.Node.OpType == "QuantizeLinear")))
                Error("SC3208", node, $"stands between DequantizeLinear and QuantizeLinear, and {target.Name} is to compute it in floating point");
        }

        private void Error(string id, Node node, string message) => Report(id, Severity.Error, node.ToString(), message);

        private static bool IsDequantized(Value? value) => value?.Producer is { OpType: "DequantizeLinear" };

        /// <summary>Whether a zero point is known to hold this byte only. Left out it is 0.</summary>
        private static bool IsAll(Value? zeroPoint, byte expected)
        {
            if (zeroPoint is null)
                return true;
            using TensorLease? lease = zeroPoint.Constant?.Open();
            return lease is not null && lease.Bytes.IndexOfAnyExcept(expected) < 0;
        }
    }
}
