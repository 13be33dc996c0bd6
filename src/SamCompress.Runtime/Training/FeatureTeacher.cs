using SamCompress.IR;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>A model that shows a student some of its values.</summary>
public sealed class FeatureTeacher : IDisposable
{
    private readonly Model _model;
    private readonly OnnxSession _session;

    private FeatureTeacher(Model model, OnnxSession session, IReadOnlyList<string> features)
    {
        _model = model;
        _session = session;
        Features = features;
    }

    /// <summary>The names of the values that it shows.</summary>
    public IReadOnlyList<string> Features { get; }

    /// <param name="model">Stays as it is, and must live longer.</param>
    /// <param name="features">The names of values of it.</param>
    /// <exception cref="InvariantException">A value does not exist.</exception>
    /// <exception cref="SamCompressException">ONNX Runtime refuses the model.</exception>
    public static FeatureTeacher Open(Model model, IEnumerable<string> features, SessionSettings settings)
    {
        Model copy = ModelCopy.Of(model);
        try
        {
            string[] wanted = [.. features.Distinct(StringComparer.Ordinal)];
            Dictionary<string, Value> values = copy.Graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().ToDictionary(v => v.Name, StringComparer.Ordinal);
            while (copy.Graph.Outputs.Count > 0)
                copy.Graph.RemoveOutput(0);
            foreach (string name in wanted)
                copy.Graph.AddOutput(values.GetValueOrDefault(name) ?? throw new InvariantException($"the teacher has no value '{name}'"));
            return new FeatureTeacher(copy, OnnxSession.Open(copy, settings), wanted);
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>Its values for one picture, by name; the caller disposes of them.</summary>
    /// <exception cref="SamCompressException">ONNX Runtime failed.</exception>
    public RuntimeTensors Show(IReadOnlyDictionary<string, RuntimeTensor> inputs, CancellationToken cancellationToken = default) =>
        _session.Run(inputs, Features, cancellationToken);

    public void Dispose()
    {
        _session.Dispose();
        _model.Dispose();
    }
}
