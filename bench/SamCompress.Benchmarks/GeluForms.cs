using SamCompress.IR;

namespace SamCompress.Benchmarks;

/// <summary>A Linear with its Gelu: what ONNX Runtime makes of the operators when it opens the model, and what is left to gain.</summary>
internal sealed class GeluForms(int rows, int inputs, int outputs) : OperatorForms
{
    public override string Name => "gelu";

    public override string Question => $"Which form of a {rows}x{inputs} by {inputs}x{outputs} Linear with Gelu is fast?";

    protected override IReadOnlyList<long[]> InputShapes => [[1, rows, inputs]];

    protected override IEnumerable<(string Name, Func<Graph, IReadOnlyList<Value>, Value> Build)> Forms =>
    [
        ("exporter's form: MatMul, Add, Div, Erf, Add, Mul, Mul", (g, x) => Primitive(g, Linear(g, x[0]))),
        ("MatMul, Add, Gelu", (g, x) => Standard(g, "Gelu", [Linear(g, x[0])])),
        ("MatMul, Add, contributed Gelu", (g, x) => Contributed(g, "Gelu", [Linear(g, x[0])])),
        ("MatMul, contributed BiasGelu", (g, x) => Contributed(g, "BiasGelu", [Standard(g, "MatMul", [x[0], Floats(g, inputs, outputs)]), Floats(g, outputs)])),
        ("Reshape, Gemm, Reshape, contributed Gelu", (g, x) => Contributed(g, "Gelu", [Gemm(g, x[0])])),
        ("tanh form: MatMul, Add and nine operators", (g, x) => PrimitiveTanh(g, Linear(g, x[0]))),
        ("MatMul, Add, Gelu by tanh", (g, x) => Standard(g, "Gelu", [Linear(g, x[0])], NodeAttribute.Of("approximate", "tanh"))),
        ("MatMul, Add, contributed FastGelu", (g, x) => Contributed(g, "FastGelu", [Linear(g, x[0])])),
    ];

    private Value Linear(Graph graph, Value x) => Standard(graph, "Add", [Standard(graph, "MatMul", [x, Floats(graph, inputs, outputs)]), Floats(graph, outputs)]);

    private Value Gemm(Graph graph, Value x)
    {
        Value matrix = Standard(graph, "Reshape", [x, Ints(graph, rows, inputs)]);
        return Standard(graph, "Reshape", [Standard(graph, "Gemm", [matrix, Floats(graph, inputs, outputs), Floats(graph, outputs)]), Ints(graph, 1, rows, outputs)]);
    }

    private static Value Primitive(Graph graph, Value x)
    {
        Value erf = Standard(graph, "Erf", [Standard(graph, "Div", [x, Scalar(graph, MathF.Sqrt(2))])]);
        return Standard(graph, "Mul", [Standard(graph, "Mul", [x, Standard(graph, "Add", [erf, Scalar(graph, 1)])]), Scalar(graph, 0.5f)]);
    }

    private static Value PrimitiveTanh(Graph graph, Value x)
    {
        Value cube = Standard(graph, "Mul", [x, Standard(graph, "Mul", [x, x])]);
        Value sum = Standard(graph, "Add", [x, Standard(graph, "Mul", [Scalar(graph, 0.044715f), cube])]);
        Value tanh = Standard(graph, "Tanh", [Standard(graph, "Mul", [Scalar(graph, MathF.Sqrt(2 / MathF.PI)), sum])]);
        return Standard(graph, "Mul", [Scalar(graph, 0.5f), Standard(graph, "Mul", [x, Standard(graph, "Add", [tanh, Scalar(graph, 1)])])]);
    }
}
