namespace SamCompress.IR.Analysis;

/// <summary>The shape function of each operator.</summary>
internal sealed class ShapeFunctions
{
    private readonly Dictionary<(string Domain, string OpType), Action<NodeInference>> _functions = [];

    private ShapeFunctions()
    {
        ElementwiseShapes.Register(this);
        ReductionShapes.Register(this);
        LinearShapes.Register(this);
        MovementShapes.Register(this);
        GeneratorShapes.Register(this);
        ElementArithmetic.Register(this);
    }

    public static ShapeFunctions Standard { get; } = new();

    public void Add(string opType, Action<NodeInference> function, string domain = OperatorDomain.Onnx) => _functions.Add((domain, opType), function);

    /// <summary>Runs another function after the one that is there.</summary>
    public void Then(string opType, Action<NodeInference> function) => _functions[(OperatorDomain.Onnx, opType)] += function;

    public Action<NodeInference>? Find(Node node) => _functions.GetValueOrDefault((node.Domain, node.OpType));

    public bool Knows(string domain, string opType) => _functions.ContainsKey((domain, opType));
}
