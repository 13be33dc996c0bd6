using SamCompress.IR;

namespace SamCompress.Testing.Reference;

/// <summary>Operators that work element by element, with broadcasting.</summary>
internal static class ElementwiseReference
{
    public static void AddTo(Action<string, Func<ReferenceCall, ReferenceTensor>> add)
    {
        foreach ((string name, Func<double, double> function) in new (string, Func<double, double>)[]
        {
            ("Sqrt", Math.Sqrt), ("Exp", Math.Exp), ("Log", Math.Log), ("Abs", Math.Abs), ("Neg", x => -x), ("Reciprocal", x => 1 / x), ("Erf", Erf), ("Tanh", Math.Tanh),
            ("Relu", x => Math.Max(x, 0)), ("Sigmoid", x => 1 / (1 + Math.Exp(-x))), ("Sin", Math.Sin), ("Cos", Math.Cos), ("Floor", Math.Floor), ("Ceil", Math.Ceiling),
            ("Round", x => Math.Round(x, MidpointRounding.ToEven)), ("Sign", x => Math.Sign(x)), ("Not", x => x == 0 ? 1 : 0), ("Identity", x => x),
            ("HardSwish", x => x * Math.Clamp((x / 6) + 0.5, 0, 1)), ("com.microsoft.Gelu", ExactGelu), ("com.microsoft.FastGelu", TanhGelu),
        })
        {
            add(name, call => Map(call[0], function));
        }

        foreach ((string name, Func<double, double, double> function) in new (string, Func<double, double, double>)[]
        {
            ("Add", (a, b) => a + b), ("Sub", (a, b) => a - b), ("Mul", (a, b) => a * b), ("Pow", Math.Pow), ("Min", Math.Min), ("Max", Math.Max), ("Sum", (a, b) => a + b),
        })
        {
            add(name, call => Enumerable.Range(1, call.Count - 1).Aggregate(call[0], (a, i) => Zip(a, call[i], call[0].Type, function)));
        }

        foreach ((string name, Func<double, double, bool> function) in new (string, Func<double, double, bool>)[]
        {
            ("Equal", (a, b) => a == b), ("Less", (a, b) => a < b), ("LessOrEqual", (a, b) => a <= b), ("Greater", (a, b) => a > b), ("GreaterOrEqual", (a, b) => a >= b),
            ("And", (a, b) => a != 0 && b != 0), ("Or", (a, b) => a != 0 || b != 0),
        })
        {
            add(name, call => Zip(call[0], call[1], ElementType.Bool, (a, b) => function(a, b) ? 1 : 0));
        }

        add("Div", call => Zip(call[0], call[1], call[0].Type, call[0].Type.IsFloatingPoint() ? (a, b) => a / b : (a, b) => Math.Truncate(a / b)));
        add("Gelu", call => Map(call[0], call.Node.GetString("approximate", "none") == "tanh" ? TanhGelu : ExactGelu));
        add("LeakyRelu", call => (double)call.Node.GetFloat("alpha", 0.01f) is var slope ? Map(call[0], x => x < 0 ? slope * x : x) : throw call.Unsupported("alpha"));
        add("HardSigmoid", HardSigmoid);
        add("Clip", call => Map(call[0], x => Math.Min(Math.Max(x, call.Optional(1)?.Data[0] ?? double.NegativeInfinity), call.Optional(2)?.Data[0] ?? double.PositiveInfinity)));
        add("Cast", Cast);
        add("Where", Where);
        add("QuantizeLinear", Quantize);
        add("DequantizeLinear", Dequantize);
    }

    public static ReferenceTensor Map(ReferenceTensor x, Func<double, double> function) => x with { Data = Array.ConvertAll(x.Data, v => function(v)) };

    /// <summary>The error function, to the precision of double.</summary>
    public static double Erf(double x) => MathNet.Numerics.SpecialFunctions.Erf(x);

    public static ReferenceTensor Zip(ReferenceTensor a, ReferenceTensor b, ElementType type, Func<double, double, double> function)
    {
        if (a.Shape.AsSpan().SequenceEqual(b.Shape))
        {
            double[] both = new double[a.Data.Length];
            for (int i = 0; i < both.Length; i++)
                both[i] = function(a.Data[i], b.Data[i]);
            return new ReferenceTensor(type, a.Shape, both);
        }

        int[] shape = Broadcast(a.Shape, b.Shape);
        double[] data = new double[ReferenceTensor.CountOf(shape)];
        int next = 0;
        foreach (int[] at in Walk(shape, Steps(a, shape), Steps(b, shape)))
            data[next++] = function(a.Data[at[0]], b.Data[at[1]]);
        return new ReferenceTensor(type, shape, data);
    }

    public static int[] Broadcast(int[] a, int[] b)
    {
        int rank = Math.Max(a.Length, b.Length);
        return [.. Enumerable.Range(0, rank).Select(i => Size(a, i) == 1 ? Size(b, i) : Size(a, i))];

        int Size(int[] shape, int i) => i < rank - shape.Length ? 1 : shape[i - rank + shape.Length];
    }

    /// <summary>How far a step along each axis of a shape goes in the elements of a tensor that is broadcast to it.</summary>
    public static int[] Steps(ReferenceTensor x, int[] shape)
    {
        int[] strides = x.Strides();
        int[] steps = new int[shape.Length];
        for (int i = 0; i < x.Rank; i++)
            steps[shape.Length - x.Rank + i] = x.Shape[i] == 1 ? 0 : strides[i];
        return steps;
    }

    /// <summary>Goes over the elements of a shape in order and says, for each table of steps, how far it is from the start. The array is the same every time.</summary>
    public static IEnumerable<int[]> Walk(int[] shape, params int[][] steps)
    {
        int count = ReferenceTensor.CountOf(shape);
        int[] index = new int[shape.Length], at = new int[steps.Length];
        for (int n = 0; n < count; n++)
        {
            yield return at;
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                bool carries = ++index[axis] == shape[axis];
                for (int i = 0; i < at.Length; i++)
                    at[i] += carries ? steps[i][axis] * (1 - shape[axis]) : steps[i][axis];
                if (!carries)
                    break;
                index[axis] = 0;
            }
        }
    }

    private static double ExactGelu(double x) => x * 0.5 * (1 + Erf(x / Math.Sqrt(2)));

    private static double TanhGelu(double x) => x * 0.5 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));

    private static ReferenceTensor HardSigmoid(ReferenceCall call)
    {
        double alpha = call.Node.GetFloat("alpha", 0.2f), beta = call.Node.GetFloat("beta", 0.5f);
        return Map(call[0], x => Math.Clamp((alpha * x) + beta, 0, 1));
    }

    private static ReferenceTensor Cast(ReferenceCall call)
    {
        var to = (ElementType)call.Node.GetInt("to", 0);
        ReferenceTensor cast = Map(call[0], to == ElementType.Bool ? x => x == 0 ? 0 : 1 : to.IsFloatingPoint() ? x => x : Math.Truncate);
        return cast with { Type = to };
    }

    private static ReferenceTensor Where(ReferenceCall call)
    {
        int[] shape = Broadcast(Broadcast(call[0].Shape, call[1].Shape), call[2].Shape);
        double[] data = new double[ReferenceTensor.CountOf(shape)];
        int next = 0;
        foreach (int[] at in Walk(shape, Steps(call[0], shape), Steps(call[1], shape), Steps(call[2], shape)))
            data[next++] = call[0].Data[at[0]] != 0 ? call[1].Data[at[1]] : call[2].Data[at[2]];
        return new ReferenceTensor(call[1].Type, shape, data);
    }

    private static ReferenceTensor Quantize(ReferenceCall call)
    {
        ElementType type = call.Optional(2)?.Type ?? ElementType.UInt8;
        (double least, double most) = type switch
        {
            ElementType.Int8 => (-128.0, 127.0),
            ElementType.UInt8 => (0, 255),
            ElementType.Int16 => (-32768, 32767),
            ElementType.UInt16 => (0, 65535),
            _ => throw call.Unsupported($"{type}"),
        };
        ReferenceTensor integers = Zip(call[0], AlongAxis(call, 1), type, (x, s) => Math.Round(x / s, MidpointRounding.ToEven));
        return Map(call.Optional(2) is null ? integers : Zip(integers, AlongAxis(call, 2), type, (q, z) => q + z), q => Math.Clamp(q, least, most));
    }

    private static ReferenceTensor Dequantize(ReferenceCall call)
    {
        ReferenceTensor integers = call.Optional(2) is null ? call[0] : Zip(call[0], AlongAxis(call, 2), call[0].Type, (q, z) => q - z);
        return Zip(integers, AlongAxis(call, 1), call[1].Type, (q, s) => q * s);
    }

    /// <summary>A scale or zero point, with axes behind it so that it is broadcast along its own.</summary>
    private static ReferenceTensor AlongAxis(ReferenceCall call, int input)
    {
        ReferenceTensor x = call[input];
        return x.Rank == 0 ? x : x with { Shape = [x.Data.Length, .. Enumerable.Repeat(1, call[0].Rank - 1 - call.Axis("axis", 1, call[0].Rank))] };
    }
}
