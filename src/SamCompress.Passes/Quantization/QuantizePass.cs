using System.Runtime.InteropServices;
using SamCompress.IR;

namespace SamCompress.Passes.Quantization;

/// <summary>
/// Applies a <see cref="QuantizationPlan"/> as QuantizeLinear and DequantizeLinear nodes, placed so that ONNX Runtime executes integer kernels.
/// <code>
/// Linear:  MatMul(x, W) + b   =>  MatMul(DQ(Q(x)), DQ(W8)) + b[1,1,N]     runs as MatMulIntegerToFloat
///          of a matrix x      =>  the same between Unsqueeze and Squeeze
/// Conv:    Conv(x, W, b)      =>  DQ(Q(Conv(DQ(Q(x)), DQ(W8), DQ(b32))))  runs as QLinearConv
/// weight only:                    the weight alone is DQ(W8)
/// </code>
/// A bias of rank 3 keeps ONNX Runtime from fusing MatMul and Add to a float Gemm. Approximate: that is what quantization is.
/// An activation that several layers read is quantized once. Weights are quantized when they are written, so that no copy of them stays in memory.
/// </summary>
public sealed class QuantizePass(QuantizationPlan plan) : Pass
{
    /// <summary>The prefix of the metadata entries that the pass leaves in the model.</summary>
    public const string MetadataPrefix = "dev.samcompress.";

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        Graph graph = model.Graph;
        Dictionary<string, QuantizableLayer> layers = LayerFinder.Find(graph).ToDictionary(l => l.Node.Output.Name, StringComparer.Ordinal);
        var emitter = new Emitter(graph, plan.Activations);
        int changes = 0;
        foreach (LayerPlan layerPlan in plan.Layers)
        {
            if (layerPlan.Execution == LayerExecution.Float)
                continue;
            if (!layers.TryGetValue(layerPlan.NodeOutput, out QuantizableLayer? layer) || layer.OutputChannels % layerPlan.WeightScales.Count != 0)
                throw new SamCompressException(FailureKind.InputRejected, $"the quantization plan does not fit the model: no layer '{layerPlan.Name}'");
            if (!context.Step(layer.Node, $"quantize {layerPlan.Kind} {layerPlan.Execution}"))
                break;
            emitter.Emit(layer, layerPlan);
            changes++;
        }

        foreach (Diagnostic diagnostic in plan.Diagnostics)
            context.Report(diagnostic);
        if (changes == 0)
            return 0;
        graph.RemoveUnusedInitializers();
        model.SetMetadata(MetadataPrefix + "target", plan.Target);
        model.SetMetadata(MetadataPrefix + "precision", "w8a8");
        return changes;
    }

    private sealed class Emitter(Graph graph, IReadOnlyList<ActivationPlan> activations)
    {
        private readonly Dictionary<string, ActivationPlan> _plans = activations.ToDictionary(a => a.Value, StringComparer.Ordinal);
        private readonly Dictionary<(string Value, bool AddedAxis), Value> _dequantized = [];
        private readonly Dictionary<(string Weight, int Axis), (IReadOnlyList<float> Scales, Value Value)> _weights = [];

        public void Emit(QuantizableLayer layer, LayerPlan plan)
        {
            if (plan.Execution == LayerExecution.WeightOnly)
                ReplaceInput(layer.Node, 1, Weight(layer, plan, layer.Node));
            else if (layer.Kind == LayerKind.Conv)
                EmitConv(layer, plan);
            else if (layer.Node.OpType == "Gemm" || plan.AddsAxis)
                LowerLinear(layer, plan);
            else
                EmitLinear(layer, plan);
        }

        private void EmitLinear(QuantizableLayer layer, LayerPlan plan)
        {
            Node node = layer.Node;
            Value weight = Weight(layer, plan, node);
            node.ReplaceInput(0, Dequantized(plan.Input, node.Inputs[0]!, node, addAxis: false));
            ReplaceInput(node, 1, weight);
            if (layer.BiasAdd is not { } add)
                return;
            int place = add.Input(0) == node.Output ? 1 : 0;
            ReplaceInput(add, place, Bias(plan, layer.Output.Name));
        }

        /// <summary>Builds a Linear of matrices anew, with an axis added in front where the plan says so.</summary>
        private void LowerLinear(QuantizableLayer layer, LayerPlan plan)
        {
            Node node = layer.Node;
            Value old = layer.Output;
            string name = old.Name;
            Value input = Dequantized(plan.Input, node.Inputs[0]!, node, plan.AddsAxis);
            Value result = Insert(node, "MatMul", [input, Weight(layer, plan, node)], name + "_product", node.Name);
            if (plan.Bias is not null)
                result = Insert(node, "Add", [result, Bias(plan, name)], name + "_sum");
            if (plan.AddsAxis)
                result = Insert(node, "Squeeze", [result, graph.AddInitializer(graph.FreshName(name + "_axes"), Tensor.Vector(0))], name + "_squeezed");
            result.ElementType = old.ElementType;
            result.Shape = old.Shape;
            graph.Substitute(old, result);
            if (layer.BiasAdd is { } add)
                Remove(add);
            Remove(node);
            if (result.Name != name)
                result.Name = name;
        }

        private void EmitConv(QuantizableLayer layer, LayerPlan plan)
        {
            Node node = layer.Node;
            Value weight = Weight(layer, plan, node);
            float inputScale = _plans[plan.Input].Grid.Scale;
            node.ReplaceInput(0, Dequantized(plan.Input, node.Inputs[0]!, node, addAxis: false));
            ReplaceInput(node, 1, weight);
            if (plan.Bias is not null)
            {
                if (node.Inputs.Count < 3)
                    node.ResizeInputs(3);
                ReplaceInput(node, 2, IntegerBias(plan, inputScale, node));
            }

            if (_plans.TryGetValue(plan.NodeOutput, out ActivationPlan? output) && output.AtProducer)
                QuantizeAtProducer(node, output);
        }

        /// <summary>Puts Q and DQ behind a node, for all users of its output.</summary>
        private void QuantizeAtProducer(Node node, ActivationPlan plan)
        {
            Value old = node.Output;
            ElementType type = old.ElementType;
            Shape? shape = old.Shape;
            (Node quantize, Value dequantized) = InsertPair(node.Next, old, plan);
            graph.Substitute(old, dequantized);
            quantize.ReplaceInput(0, old);
            dequantized.ElementType = type;
            dequantized.Shape = shape;
            _dequantized[(plan.Value, false)] = dequantized;
        }

        /// <summary>The value behind Q and DQ, made on first use.</summary>
        private Value Dequantized(string planName, Value value, Node user, bool addAxis)
        {
            if (_dequantized.TryGetValue((planName, addAxis), out Value? known))
                return known;
            Value source = value;
            if (addAxis)
            {
                Value axes = graph.AddInitializer(graph.FreshName(planName + "_axes"), Tensor.Vector(0));
                source = Insert(user, "Unsqueeze", [value, axes], planName + "_unsqueezed");
                source.ElementType = value.ElementType;
                source.Shape = value.Shape is { } shape ? new Shape(shape.Prepend(1)) : null;
            }

            Value dequantized = InsertPair(user, source, _plans[planName]).Dequantized;
            _dequantized.Add((planName, addAxis), dequantized);
            return dequantized;
        }

        private (Node Quantize, Value Dequantized) InsertPair(Node? position, Value value, ActivationPlan plan)
        {
            string stem = plan.Value;
            Value scale = graph.AddInitializer(graph.FreshName(stem + "_scale"), Tensor.Scalar(plan.Grid.Scale));
            Tensor zero = plan.ElementType == ElementType.Int8
                ? Tensor.Of<sbyte>(ElementType.Int8, [(sbyte)plan.Grid.ZeroPoint], [])
                : Tensor.Of<byte>(ElementType.UInt8, [(byte)plan.Grid.ZeroPoint], []);
            Value zeroPoint = graph.AddInitializer(graph.FreshName(stem + "_zero_point"), zero);
            Value quantized = Insert(position, "QuantizeLinear", [value, scale, zeroPoint], stem + "_quantized");
            quantized.ElementType = plan.ElementType;
            quantized.Shape = value.Shape;
            Value dequantized = Insert(position, "DequantizeLinear", [quantized, scale, zeroPoint], stem + "_dequantized");
            dequantized.ElementType = ElementType.Float;
            dequantized.Shape = value.Shape;
            return (quantized.Producer!, dequantized);
        }

        private Value Weight(QuantizableLayer layer, LayerPlan plan, Node user)
        {
            if (_weights.TryGetValue((plan.WeightName, layer.WeightAxis), out var known) && known.Scales.SequenceEqual(plan.WeightScales))
                return known.Value;
            bool transpose = layer.Kind == LayerKind.Linear && layer.WeightAxis == 0;
            Tensor tensor = WeightQuantizer.Lazy(layer.Weight, layer.WeightAxis, plan.WeightScales, plan.WeightHighest, transpose);
            long axis = layer.Kind == LayerKind.Linear ? 1 : layer.WeightAxis;
            int channels = plan.WeightScales.Count;
            Value weight = graph.AddInitializer(graph.FreshName(plan.WeightName + "_quantized"), tensor);
            Value scale = graph.AddInitializer(graph.FreshName(plan.WeightName + "_scale"), Tensor.Of((float[])[.. plan.WeightScales], channels));
            Value zeroPoint = graph.AddInitializer(graph.FreshName(plan.WeightName + "_zero_point"), Tensor.FromBytes(ElementType.Int8, [channels], new byte[channels]));
            Value result = Insert(user, "DequantizeLinear", [weight, scale, zeroPoint], plan.WeightName + "_dequantized", "", NodeAttribute.Of("axis", axis));
            result.ElementType = ElementType.Float;
            result.Shape = weight.Shape;
            _weights[(plan.WeightName, layer.WeightAxis)] = (plan.WeightScales, result);
            return result;
        }

        private Value Bias(LayerPlan plan, string stem)
        {
            float[] bias = [.. plan.Bias!];
            Tensor tensor = plan.BiasRank == 3 ? Tensor.Of(bias, 1, 1, bias.Length) : Tensor.Of(bias, bias.Length);
            return graph.AddInitializer(graph.FreshName(stem + "_bias"), tensor);
        }

        /// <summary>The bias of a convolution in units of input scale times weight scale.</summary>
        private Value IntegerBias(LayerPlan plan, float inputScale, Node user)
        {
            int count = plan.Bias!.Count;
            var scales = new float[count];
            var quantized = new int[count];
            for (int i = 0; i < count; i++)
            {
                scales[i] = QuantizationGrid.Usable(inputScale * plan.WeightScales[i]);
                quantized[i] = (int)Math.Clamp(Math.Round((double)plan.Bias[i] / scales[i], MidpointRounding.ToEven), int.MinValue, int.MaxValue);
            }

            string stem = plan.NodeOutput + "_bias";
            Value bias = graph.AddInitializer(graph.FreshName(stem + "_quantized"), Tensor.Of<int>(ElementType.Int32, quantized, [count]));
            Value scale = graph.AddInitializer(graph.FreshName(stem + "_scale"), Tensor.Of(scales, count));
            Value zeroPoint = graph.AddInitializer(
                graph.FreshName(stem + "_zero_point"), Tensor.FromBytes(ElementType.Int32, [count], MemoryMarshal.AsBytes(new int[count].AsSpan()).ToArray()));
            Value result = Insert(user, "DequantizeLinear", [bias, scale, zeroPoint], stem + "_dequantized", "", NodeAttribute.Of("axis", 0L));
            result.ElementType = ElementType.Float;
            result.Shape = bias.Shape;
            return result;
        }

        private Value Insert(Node? position, string opType, IReadOnlyList<Value?> inputs, string outputStem, string nodeName = "", params NodeAttribute[] attributes)
        {
            string output = graph.FreshName(outputStem);
            return graph.InsertBefore(position, opType, inputs, [output], attributes, "", nodeName.Length > 0 ? nodeName : output).Output;
        }

        /// <summary>Replaces an input, and removes the Transpose or Constant that made the old one when nothing else reads it.</summary>
        private void ReplaceInput(Node node, int index, Value value)
        {
            Value? old = node.Inputs[index];
            node.ReplaceInput(index, value);
            RemoveConstantProducer(old);
        }

        private void Remove(Node node)
        {
            Value?[] inputs = [.. node.Inputs];
            graph.Remove(node);
            foreach (Value? input in inputs)
                RemoveConstantProducer(input);
        }

        private void RemoveConstantProducer(Value? value)
        {
            if (value is { IsUsed: false, Producer: { OpType: "Transpose" or "Constant", Graph: not null } producer })
                Remove(producer);
        }
    }
}
