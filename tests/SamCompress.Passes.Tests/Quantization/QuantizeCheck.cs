using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization;

/// <summary>Quantizes models in ONNX text whose values all lie between -1 and 1, but for "C", the output of a convolution, between -1 and 3.</summary>
internal static class QuantizeCheck
{
    /// <summary>Quantizes in place.</summary>
    /// <param name="change">What the plan shall be in place of what was planned.</param>
    public static QuantizationPlan Quantize(Model model, string target, Func<QuantizationPlan, QuantizationPlan>? change = null)
    {
        QuantizationPlan plan = Plan(model, target);
        plan = change is null ? plan : change(plan);
        new PassPipeline(new QuantizePass(plan)).Run(model, new PassContext());
        return plan;
    }

    public static QuantizationPlan Plan(Model model, string target)
    {
        var planner = new QuantizationPlanner(
            new QuantizationOptions { FewestInputs = 1, Estimator = new MinMaxEstimator(), CorrectBias = false }, Target(target));
        return planner.Plan(model, PlannerStatistics.Of(planner.RequiredStatistics(model), o => (-1, o.Name == "C" ? 3 : 1)));
    }

    /// <summary>A built-in target, but that all layers count alike; "channels" is one whose convolutions quantize each output channel.</summary>
    public static TargetDescription Target(string name)
    {
        TargetDescription target = TargetDescription.Load(name == "channels" ? "ort-cpu" : name) with { LastConv = null };
        return name == "channels" ? target with { Conv = target.Conv with { Form = LayerForm.Qdq, QuantizedOutput = true, ScalesOutputChannels = true } } : target;
    }

    /// <summary>The printed graphs, for a snapshot.</summary>
    public static string BeforeAndAfter(string text, string target, int opset = 17, Func<QuantizationPlan, QuantizationPlan>? change = null)
    {
        using Model model = ModelText.Parse(text, opset);
        ShapeInference.Infer(model);
        string before = ModelText.Print(model);
        Quantize(model, target, change);
        return $"{before}\n=>\n\n{ModelText.Print(model)}";
    }

    /// <summary>Runs a model of one output in ONNX Runtime, with its inputs in order.</summary>
    public static float[] Run(Model model, params float[][] inputs)
    {
        using OnnxSession session = OnnxSession.Open(model);
        var tensors = new Dictionary<string, RuntimeTensor>();
        try
        {
            for (int i = 0; i < inputs.Length; i++)
            {
                long[] shape = session.Inputs[i].Shape!.ToStatic()!;
                tensors.Add(session.Inputs[i].Name, RuntimeTensor.Of(inputs[i][..(int)shape.Aggregate((a, b) => a * b)], shape));
            }

            using RuntimeTensors results = session.Run(tensors);
            return results.Single().Value.ToArray<float>();
        }
        finally
        {
            foreach (RuntimeTensor tensor in tensors.Values)
                tensor.Dispose();
        }
    }

    /// <summary>The plan with each layer changed.</summary>
    public static QuantizationPlan With(this QuantizationPlan plan, Func<LayerPlan, LayerPlan> layer) => plan with { Layers = [.. plan.Layers.Select(layer)] };

    /// <summary>The plan with each activation changed.</summary>
    public static QuantizationPlan WithActivations(this QuantizationPlan plan, Func<ActivationPlan, ActivationPlan> activation) =>
        plan with { Activations = [.. plan.Activations.Select(activation)] };
}
