using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;

namespace SamCompress.Benchmarks;

/// <summary>A step of training against an inference of the same encoder: forward, loss on the embedding, backward and AdamW of all weights, one picture.</summary>
/// <param name="path">Gives the file of the float model, which it may have to make.</param>
/// <param name="recomputesOnly">For models whose activations do not fit into memory.</param>
internal sealed class TrainingForms(string model, Func<string> path, int rounds, bool recomputesOnly = false) : Benchmark
{
    public override string Name => $"training-{model}";

    public override string Question => $"what does a step of training of {model} cost, in inferences?";

    public override IReadOnlyList<Measurement> Measure()
    {
        using Model exported = OnnxReader.Read(path()), student = OnnxReader.Read(path());
        TrainableModel.Prepare(student);
        Value image = student.Graph.Inputs[0], embedding = student.Graph.Outputs[0];
        using OnnxSession inference = OnnxSession.Open(exported, new SessionSettings { UseMemoryPattern = !recomputesOnly });
        using RuntimeTensor input = Noise(image.Shape!.ToStatic()!), target = Noise(embedding.Shape!.ToStatic()!);
        var inputs = new Dictionary<string, RuntimeTensor> { [image.Name] = input };
        var targets = new Dictionary<string, RuntimeTensor> { [embedding.Name] = target };
        var candidates = new List<Candidate> { new("inference", () => inference.Run(inputs).Dispose()) };
        var open = new Stack<IDisposable>();
        try
        {
            foreach (bool recomputes in recomputesOnly ? new[] { true } : [false, true])
            {
                var graph = TrainingGraph.Build(student, [new LossTerm(embedding.Name)], new TrainingOptions { Recomputes = recomputes });
                open.Push(graph);
                var training = TrainingSession.Open(graph, new SessionSettings { Optimization = recomputes ? GraphOptimization.None : GraphOptimization.All, UseMemoryArena = !recomputes, UseMemoryPattern = !recomputes });
                open.Push(training);
                candidates.Add(new Candidate(recomputes ? "step, activations computed again" : "step", () => training.Step(inputs, targets, learningRate: 1e-6)));
            }

            return [.. Comparison.Measure(candidates, rounds).Select(m => m with { Candidate = m.Candidate with { Note = $"{1 / m.Ratio:0.00} inferences; peak of the process so far {PeakMegabytes()} MB" } })];
        }
        finally
        {
            while (open.TryPop(out IDisposable? item))
                item.Dispose();
        }
    }

    private static RuntimeTensor Noise(long[] shape)
    {
        var random = new Random(7);
        var elements = new float[shape.Aggregate(1L, (n, d) => n * d)];
        for (int i = 0; i < elements.Length; i++)
            elements[i] = (float)((random.NextDouble() * 2) - 1);
        return RuntimeTensor.Of(elements, shape);
    }

    private static long PeakMegabytes()
    {
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        return self.PeakWorkingSet64 / 1_000_000;
    }
}
