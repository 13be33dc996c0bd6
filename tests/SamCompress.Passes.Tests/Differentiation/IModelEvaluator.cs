using SamCompress.IR;
using SamCompress.Runtime.Inference;

namespace SamCompress.Passes.Tests.Differentiation;

/// <summary>Computes a model in double precision, for gradients that are compared with differences.</summary>
internal interface IModelEvaluator : IDisposable
{
    /// <summary>Runs a model. A second run of the same one may be quicker.</summary>
    /// <param name="inputs">Row-major, by name: every input of the graph. Elements of another type than double are converted.</param>
    /// <returns>Every output of the graph, row-major, by name.</returns>
    IReadOnlyDictionary<string, double[]> Run(Model model, IReadOnlyDictionary<string, double[]> inputs);
}

/// <summary>ONNX Runtime, which runs the graph as it is. It has kernels in double precision for a part of the operators.</summary>
internal sealed class RuntimeEvaluator : IModelEvaluator
{
    private OnnxSession? _session;
    private Model? _model;

    public IReadOnlyDictionary<string, double[]> Run(Model model, IReadOnlyDictionary<string, double[]> inputs)
    {
        if (_model != model)
        {
            _session?.Dispose();
            _session = OnnxSession.Open(model, new SessionSettings { Optimization = GraphOptimization.None, Threads = 1 });
            _model = model;
        }

        Dictionary<string, RuntimeTensor> tensors = model.Graph.Inputs.ToDictionary(i => i.Name, i => Tensor(i, inputs[i.Name]));
        try
        {
            using RuntimeTensors outputs = _session!.Run(tensors);
            return outputs.ToDictionary(o => o.Key, o => Elements(o.Value));
        }
        finally
        {
            foreach (RuntimeTensor tensor in tensors.Values)
                tensor.Dispose();
        }
    }

    public void Dispose() => _session?.Dispose();

    private static RuntimeTensor Tensor(Value input, double[] elements)
    {
        long[] shape = input.Shape!.ToStatic()!;
        return input.ElementType switch
        {
            ElementType.Double => RuntimeTensor.Of(elements, shape),
            ElementType.Float => RuntimeTensor.Of(Array.ConvertAll(elements, e => (float)e), shape),
            ElementType.Int64 => RuntimeTensor.Of(Array.ConvertAll(elements, e => (long)e), shape),
            ElementType.Bool => RuntimeTensor.Of(Array.ConvertAll(elements, e => e != 0), shape),
            _ => throw new NotSupportedException($"no double fits {input}"),
        };
    }

    private static double[] Elements(RuntimeTensor tensor) => tensor.ElementType switch
    {
        ElementType.Double => tensor.ToArray<double>(),
        ElementType.Float => Array.ConvertAll(tensor.ToArray<float>(), e => (double)e),
        _ => Array.ConvertAll(tensor.ToTensor().ToInt64s(), e => (double)e),
    };
}
