namespace SamCompress.IR.Analysis;

/// <summary>Operators that work element by element, with broadcasting.</summary>
internal static class ElementwiseShapes
{
    private static readonly string[] SameAsFirst =
    [
        "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Ceil", "Celu", "Clip", "Cos", "Cosh", "Elu", "Erf", "Exp", "Floor",
        "Gelu", "HardSigmoid", "HardSwish", "Hardmax", "Identity", "LeakyRelu", "Log", "LogSoftmax", "LRN", "LpNormalization", "MeanVarianceNormalization",
        "Mish", "Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softmax", "Softplus",
        "Softsign", "Sqrt", "Swish", "Tan", "Tanh", "ThresholdedRelu", "Trilu", "CumSum", "CumProd", "PRelu", "BatchNormalization", "InstanceNormalization",
        "GroupNormalization", "RMSNormalization", "Scatter", "ScatterElements", "ScatterND", "ReverseSequence",
    ];

    private static readonly string[] Arithmetic =
        ["Add", "Sub", "Mul", "Div", "Mod", "Pow", "Max", "Min", "Sum", "Mean", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift"];

    private static readonly string[] Comparisons = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor"];

    public static void Register(ShapeFunctions functions)
    {
        foreach (string op in SameAsFirst)
            functions.Add(op, SameAsInput);
        foreach (string op in Arithmetic)
            functions.Add(op, n => n.Output(0, n.Type(0), BroadcastInputs(n)));
        foreach (string op in Comparisons)
            functions.Add(op, n => n.Output(0, ElementType.Bool, BroadcastInputs(n)));
        functions.Add("IsNaN", n => n.Output(0, ElementType.Bool, n.Shape(0)));
        functions.Add("IsInf", n => n.Output(0, ElementType.Bool, n.Shape(0)));
        functions.Add("Where", n => n.Output(0, n.Type(1), BroadcastInputs(n)));
        functions.Add("Cast", n => n.Output(0, (ElementType)n.Node.GetInt("to", 0), n.Shape(0)));
        functions.Add("CastLike", n => n.Output(0, n.Type(1), n.Shape(0)));
        functions.Add("Dropout", n =>
        {
            n.Output(0, n.Type(0), n.Shape(0));
            n.Output(1, n.Opset >= 10 ? ElementType.Bool : n.Type(0), n.Shape(0));
        });
        functions.Add("LayerNormalization", LayerNormalization);
        functions.Add("QuantizeLinear", n => n.Output(0, n.HasInput(2) ? n.Type(2) : (ElementType)n.Node.GetInt("output_dtype", (long)ElementType.UInt8), n.Shape(0)));
        functions.Add("DequantizeLinear", n => n.Output(0, n.Node.GetInt("output_dtype", 0) is > 0 and var type ? (ElementType)type : n.Type(1), n.Shape(0)));
        functions.Add("DynamicQuantizeLinear", n =>
        {
            n.Output(0, ElementType.UInt8, n.Shape(0));
            n.Output(1, ElementType.Float, Shape.Scalar);
            n.Output(2, ElementType.UInt8, Shape.Scalar);
        });
        foreach (string op in (string[])["Softmax", "LogSoftmax", "Hardmax"])
        {
            functions.Then(op, n =>
            {
                if (n.Opset >= 13 && n.Shape(0) is { Rank: > 0 } shape)
                    _ = NodeInference.Axis(n.Node.GetInt("axis", -1), shape.Rank);
            });
        }

        foreach (string op in (string[])["Gelu", "FastGelu", "QuickGelu", "BiasGelu", "BiasSoftmax"])
            functions.Add(op, SameAsInput, OperatorDomain.Microsoft);
        functions.Add("SimplifiedLayerNormalization", SameAsInput);
        functions.Add("SkipLayerNormalization", SkipLayerNormalization, OperatorDomain.Microsoft);
        functions.Add("QuantizeLinear", n => n.Output(0, n.HasInput(2) ? n.Type(2) : ElementType.UInt8, n.Shape(0)), OperatorDomain.Microsoft);
        functions.Add("DequantizeLinear", n => n.Output(0, n.Type(1), n.Shape(0)), OperatorDomain.Microsoft);
        foreach (string op in (string[])["QLinearAdd", "QLinearMul"])
            functions.Add(op, n => n.Output(0, n.Type(0), NodeInference.Broadcast(n.Shape(0), n.Shape(3))), OperatorDomain.Microsoft);
        foreach (string op in (string[])["QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax"])
            functions.Add(op, SameAsInput, OperatorDomain.Microsoft);
    }

    private static void SameAsInput(NodeInference n) => n.Output(0, n.Type(0), n.Shape(0));

    private static Shape? BroadcastInputs(NodeInference n)
    {
        if (n.InputCount == 0)
            return null;
        var shapes = new Shape?[n.InputCount];
        for (int i = 0; i < shapes.Length; i++)
            shapes[i] = n.Shape(i);
        // Before opset 7 the second operand is broadcast into the first one.
        return n.Opset >= 7 || n.Node.Domain.Length > 0 ? NodeInference.Broadcast(shapes) : shapes[0];
    }

    /// <summary>Its second and third outputs, mean and deviation, are never computed.</summary>
    private static void SkipLayerNormalization(NodeInference n)
    {
        SameAsInput(n);
        n.Output(3, n.Type(0), n.Shape(0));
    }

    private static void LayerNormalization(NodeInference n)
    {
        n.Output(0, n.Type(0), n.Shape(0));
        if (n.Shape(0) is not { } shape)
            return;
        int axis = NodeInference.Axis(n.Node.GetInt("axis", -1), shape.Rank);
        var statistics = new Shape(shape.Select((d, i) => i < axis ? d : 1));
        var type = (ElementType)n.Node.GetInt("stash_type", (long)ElementType.Float);
        n.Output(1, type, statistics);
        n.Output(2, type, statistics);
    }
}
