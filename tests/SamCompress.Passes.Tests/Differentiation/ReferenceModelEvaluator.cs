using SamCompress.IR;
using SamCompress.Testing.Reference;

namespace SamCompress.Passes.Tests.Differentiation;

/// <summary>The plain evaluator: for operators that ONNX Runtime has no kernel in double precision for.</summary>
internal sealed class ReferenceModelEvaluator : IModelEvaluator
{
    private ReferenceEvaluator? _evaluator;
    private Model? _model;

    public IReadOnlyDictionary<string, double[]> Run(Model model, IReadOnlyDictionary<string, double[]> inputs)
    {
        if (_model != model)
            (_model, _evaluator) = (model, new ReferenceEvaluator(model));
        return _evaluator!.Run(inputs);
    }

    public void Dispose()
    {
    }
}
