using SamCompress.IR;

namespace SamCompress.Runtime.Images;

/// <summary>Where the channels of an encoder's input are.</summary>
public enum PixelLayout
{
    /// <summary>[1,3,S,S].</summary>
    ChannelsFirst,

    /// <summary>[1,S,S,3].</summary>
    ChannelsLast,
}

/// <summary>
/// The ONNX graphs that make an encoder's input out of the bytes of a picture file. They need the operators of ONNX Runtime
/// Extensions, and may be merged into a deployed model. What they compute is described in docs/preprocessing.md.
/// </summary>
public static class PreprocessingGraph
{
    public const string FileInput = "file";
    public const string PixelsOutput = "pixels";
    public const string TensorOutput = "tensor";

    /// <summary>The domain of ONNX Runtime Extensions.</summary>
    public const string ExtensionsDomain = "com.microsoft.extensions";

    /// <summary>Resize has had antialiasing since 18.</summary>
    private const long Opset = 18;
    private const long IrVersion = 8;

    /// <summary>
    /// <c>file</c> (uint8 [N], a JPEG or PNG) => <c>pixels</c> (uint8 [1,3,H,W], RGB, upright).
    /// </summary>
    /// <param name="orientation">The EXIF orientation of the file, 1 to 8, which the decoder itself does not apply.</param>
    public static Model Decode(int orientation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(orientation, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(orientation, 8);
        Model model = NewModel("decode", withExtensions: true);
        Graph graph = model.Graph;
        Value file = graph.AddInput(FileInput, ElementType.UInt8, new Shape(Dimension.Of("bytes")));
        Value bgr = graph.Append("DecodeImage", [file], ["bgr"], domain: ExtensionsDomain).Output;
        (bool transpose, bool flipColumns, bool flipRows) = orientation switch
        {
            1 => (false, false, false),
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            _ => (true, false, true),
        };
        Value planes = graph.Append("Transpose", [bgr], ["planes"], [NodeAttribute.Of("perm", transpose ? [2, 1, 0] : (long[])[2, 0, 1])]).Output;
        var axes = new List<long> { 0 };
        if (flipRows)
            axes.Add(1);
        if (flipColumns)
            axes.Add(2);

        // Axis 0 goes backwards always: the decoder's channels are blue, green, red.
        Value rgb = graph.Append(
            "Slice",
            [
                planes,
                Constant(graph, "starts", Enumerable.Repeat(-1L, axes.Count)),
                Constant(graph, "ends", Enumerable.Repeat(long.MinValue + 1, axes.Count)),
                Constant(graph, "axes", axes),
                Constant(graph, "steps", Enumerable.Repeat(-1L, axes.Count)),
            ],
            ["rgb"]).Output;
        Value pixels = graph.Append("Unsqueeze", [rgb, Constant(graph, "batch_axis", [0])], [PixelsOutput]).Output;
        Output(graph, pixels, ElementType.UInt8, new Shape(1, 3, Dimension.Of("H"), Dimension.Of("W")));
        return model;
    }

    /// <summary>
    /// <c>pixels</c> (uint8 [1,3,H,W], RGB) => <c>tensor</c> (float, as the encoder takes it): resized so that the long side is
    /// S, normalized, and padded with zeros at the right and at the bottom.
    /// </summary>
    public static Model Normalize(Preprocessing preprocessing)
    {
        ArgumentNullException.ThrowIfNull(preprocessing);
        Model model = NewModel("normalize", withExtensions: false);
        Graph graph = model.Graph;
        Value pixels = graph.AddInput(PixelsOutput, ElementType.UInt8, new Shape(1, 3, Dimension.Of("H"), Dimension.Of("W")));

        // In double, as SAM computes it: a float's rounding would give another size now and then.
        Value shape = graph.Append("Shape", [pixels], ["shape"], [NodeAttribute.Of("start", 2L)]).Output;
        Value sides = Cast(graph, shape, ElementType.Double, "sides");
        Value longSide = graph.Append("ReduceMax", [sides, Constant(graph, "side_axis", [0])], ["long_side"]).Output;
        Value scale = graph.Append("Div", [Double(graph, "side", preprocessing.Side), longSide], ["scale"]).Output;
        Value scaled = graph.Append("Mul", [sides, scale], ["scaled"]).Output;
        Value half = graph.Append("Add", [scaled, Double(graph, "half", 0.5)], ["plus_half"]).Output;
        Value whole = graph.Append("Floor", [half], ["floor"]).Output;
        Value atLeastOne = graph.Append("Max", [whole, Double(graph, "one", 1)], ["at_least_one"]).Output;
        Value resizedSides = Cast(graph, atLeastOne, ElementType.Int64, "resized_sides");
        Value sizes = graph.Append("Concat", [Constant(graph, "planes", [1, 3]), resizedSides], ["sizes"], [NodeAttribute.Of("axis", 0L)]).Output;

        // On uint8, and only there, the antialiased Resize rounds after each direction as PIL does.
        Value resized = graph.Append(
            "Resize",
            [pixels, null, null, sizes],
            ["resized"],
            [
                NodeAttribute.Of("antialias", 1L),
                NodeAttribute.Of("coordinate_transformation_mode", "half_pixel"),
                NodeAttribute.Of("mode", "linear"),
            ]).Output;
        Value real = Cast(graph, resized, ElementType.Float, "real");
        Value centred = graph.Append("Sub", [real, PerChannel(graph, "mean", preprocessing.Mean)], ["centred"]).Output;
        Value normalized = graph.Append("Div", [centred, PerChannel(graph, "std", preprocessing.Std)], ["normalized"]).Output;
        Value missing = graph.Append("Sub", [Constant(graph, "side_whole", [preprocessing.Side, preprocessing.Side]), resizedSides], ["missing"]).Output;
        Value pads = graph.Append("Concat", [Constant(graph, "no_pads", new long[6]), missing], ["pads"], [NodeAttribute.Of("axis", 0L)]).Output;
        bool isLast = preprocessing.Layout == PixelLayout.ChannelsLast;
        Value result = graph.Append("Pad", [normalized, pads], [isLast ? "padded" : TensorOutput]).Output;
        if (isLast)
            result = graph.Append("Transpose", [result], [TensorOutput], [NodeAttribute.Of("perm", (long[])[0, 2, 3, 1])]).Output;
        long side = preprocessing.Side;
        Output(graph, result, ElementType.Float, isLast ? Shape.Of(1, side, side, 3) : Shape.Of(1, 3, side, side));
        return model;
    }

    private static Model NewModel(string name, bool withExtensions)
    {
        OpsetImport[] standard = [new OpsetImport(OperatorDomain.Onnx, Opset)];
        return new Model(IrVersion, withExtensions ? [.. standard, new OpsetImport(ExtensionsDomain, 1)] : standard, name);
    }

    private static Value Constant(Graph graph, string name, IEnumerable<long> elements) => graph.AddInitializer(name, Tensor.Vector([.. elements]));

    private static Value Double(Graph graph, string name, double element) =>
        graph.AddInitializer(name, Tensor.Of<double>(ElementType.Double, [element], [1]));

    private static Value PerChannel(Graph graph, string name, IReadOnlyList<float> elements) => graph.AddInitializer(name, Tensor.Of([.. elements], 3, 1, 1));

    private static Value Cast(Graph graph, Value value, ElementType type, string name) =>
        graph.Append("Cast", [value], [name], [NodeAttribute.Of("to", (long)type)]).Output;

    private static void Output(Graph graph, Value value, ElementType type, Shape shape)
    {
        value.ElementType = type;
        value.Shape = shape;
        graph.AddOutput(value);
    }
}
