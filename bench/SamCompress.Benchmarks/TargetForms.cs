using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;

namespace SamCompress.Benchmarks;

/// <summary>A whole image encoder as it comes out for each target, all run by ONNX Runtime.</summary>
/// <param name="path">Gives the file of the float model, which it may have to make.</param>
internal sealed class TargetForms(string model, Func<string> path, int rounds) : Benchmark
{
    public override string Name => $"targets-{model}";

    public override string Question => $"how fast does ONNX Runtime run {model} in the form of each target?";

    public override IReadOnlyList<Measurement> Measure()
    {
        var open = new Stack<IDisposable>();
        try
        {
            TargetDescription cpu = TargetDescription.Load("ort-cpu");
            LayerRule quantized = TargetDescription.Load("qdq").Conv;
            return Comparison.Measure(
                [
                    Open("float", null, open),
                    .. TargetDescription.BuiltIn.Select(t => Open(t, TargetDescription.Load(t), open)),
                    Open("ort-cpu, depthwise as QLinearConv", cpu with { DepthwiseConv = quantized }, open),
                    Open("ort-cpu, QLinearConv", cpu with { Conv = quantized }, open),
                    Open("ort-cpu, QLinearConv with a scale for each channel", cpu with { Conv = quantized with { ScalesOutputChannels = true } }, open),
                ],
                rounds);
        }
        finally
        {
            while (open.TryPop(out IDisposable? item))
                item.Dispose();
        }
    }

    private Candidate Open(string name, TargetDescription? target, Stack<IDisposable> open)
    {
        Model graph = OnnxReader.Read(path());
        open.Push(graph);
        var context = new PassContext { Evaluator = new OnnxConstantEvaluator() };
        new PassPipeline([.. StandardPipeline.Cleanup, .. target is null ? [] : StandardPipeline.PrepareQuantization]).Run(graph, context);
        Value input = graph.Graph.Inputs[0];
        long[] shape = [.. input.Shape!.Select(d => d.Value ?? 1)];
        if (target is not null)
        {
            var planner = new QuantizationPlanner(new QuantizationOptions { Estimator = new MinMaxEstimator() }, target);
            var sample = new CalibrationSample("noise", new Dictionary<string, RuntimeTensor> { [input.Name] = Noise(shape) });
            CalibrationStatistics statistics = new Calibrator().Run(graph, planner.RequiredStatistics(graph), [sample], new CalibrationOrigin("model", "1", "noise"));
            new PassPipeline(new QuantizePass(planner.Plan(graph, statistics))).Run(graph, context);
        }

        OnnxSession session = OnnxSession.Open(graph);
        open.Push(session);
        RuntimeTensor tensor = Noise(shape);
        open.Push(tensor);
        var inputs = new Dictionary<string, RuntimeTensor> { [input.Name] = tensor };
        string kernels = string.Join(", ", KernelReport.Read(graph).Nodes.Where(n => n.IsMultiplication).GroupBy(n => n.OpType).OrderByDescending(g => g.Count()).Select(g => $"{g.Count()} {g.Key}"));
        return new Candidate(name, () => session.Run(inputs).Dispose(), kernels);
    }

    private static RuntimeTensor Noise(long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        var random = new Random(1);
        for (int i = 0; i < values.Length; i++)
            values[i] = (random.NextSingle() * 4) - 2;
        return RuntimeTensor.Of(values, shape);
    }
}
