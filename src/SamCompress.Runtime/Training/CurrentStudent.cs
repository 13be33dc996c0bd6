using SamCompress.IR;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>A student while it learns: its weights are inputs, and come from the step of training without a copy.</summary>
internal sealed class CurrentStudent : IDisposable
{
    private readonly Model _model;
    private readonly OnnxSession _session;
    private readonly HashSet<string> _weights;

    private CurrentStudent(Model model, OnnxSession session, HashSet<string> weights)
    {
        _model = model;
        _session = session;
        _weights = weights;
    }

    /// <param name="student">Stays as it is, and must live longer.</param>
    /// <param name="weights">The names of the initializers that are trained.</param>
    public static CurrentStudent Open(Model student, IEnumerable<string> weights, SessionSettings settings)
    {
        Model model = ModelCopy.Of(student);
        try
        {
            HashSet<string> trained = [.. weights];
            foreach (Value weight in model.Graph.Initializers.Where(i => trained.Contains(i.Name)).ToArray())
            {
                string name = weight.Name;
                weight.Name = model.Graph.FreshName(name + "_initial");
                weight.ReplaceUsesWith(model.Graph.AddInput(name, weight.ElementType, weight.Shape));
            }

            model.Graph.RemoveUnusedInitializers();
            return new CurrentStudent(model, OnnxSession.Open(model, settings), trained);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Its first output.</summary>
    /// <param name="weights">By name; more than these may be there.</param>
    /// <param name="input">Its first input.</param>
    public RuntimeTensor Run(IReadOnlyDictionary<string, RuntimeTensor> weights, RuntimeTensor input, CancellationToken cancellationToken)
    {
        var inputs = weights.Where(w => _weights.Contains(w.Key)).ToDictionary(StringComparer.Ordinal);
        inputs[_model.Graph.Inputs[0].Name] = input;
        string output = _model.Graph.Outputs[0].Name;
        using RuntimeTensors results = _session.Run(inputs, [output], cancellationToken);
        return results.Detach(output);
    }

    public void Dispose()
    {
        _session.Dispose();
        _model.Dispose();
    }
}
