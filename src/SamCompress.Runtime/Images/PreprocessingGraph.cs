using SamCompress.IR;
using SamCompress.Passes.Rewriting;

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
/// The ONNX graphs that make an encoder's input out of the bytes of a picture file. Those that decode need the operators of ONNX Runtime
/// Extensions. What they compute is described in docs/preprocessing.md; <see cref="Embedded.EmbeddedPreprocessing"/> puts it into a model.
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
        Model model = NewModel("decode");
        var graph = new GraphBuilder(model, "picture");
        Value file = model.Graph.AddInput(FileInput, ElementType.UInt8, new Shape(Dimension.Of("bytes")));
        Turn turn = Turn.Of(orientation);
        Value planes = graph.Transpose(DecodeImage(graph, file), turn.Permutation);
        Output(model, Batch(graph, graph.Op("Slice", [planes, graph.Vector(turn.Starts), graph.Vector(turn.Ends), graph.Vector(0, 1, 2), graph.Vector(turn.Steps)])), PixelsOutput);
        return model;
    }

    /// <summary>
    /// <c>pixels</c> (uint8 [1,3,H,W], RGB) => <c>tensor</c> (float, as the encoder takes it): resized so that the long side is
    /// S, normalized, and padded with zeros at the right and at the bottom.
    /// </summary>
    public static Model Normalize(Preprocessing preprocessing)
    {
        ArgumentNullException.ThrowIfNull(preprocessing);
        Model model = NewModel("normalize");
        Value pixels = model.Graph.AddInput(PixelsOutput, ElementType.UInt8, new Shape(1, 3, Dimension.Of("H"), Dimension.Of("W")));
        Output(model, Normalize(new GraphBuilder(model, "picture"), pixels, preprocessing).Tensor, TensorOutput);
        return model;
    }

    /// <summary>The pixels of a file as its decoder gives them: uint8 [H,W,3], blue, green, red, as they are stored.</summary>
    internal static Value DecodeImage(GraphBuilder graph, Value file)
    {
        graph.Model.ImportOpset(ExtensionsDomain, 1);
        return Typed(graph.Op("DecodeImage", [file], domain: ExtensionsDomain), ElementType.UInt8, new Shape(Dimension.Unknown, Dimension.Unknown, 3));
    }

    /// <summary>[3,H,W] to [1,3,H,W].</summary>
    internal static Value Batch(GraphBuilder graph, Value planes) =>
        Typed(graph.Op("Unsqueeze", [planes, graph.Vector(0)]), ElementType.UInt8, new Shape(1, 3, Dimension.Unknown, Dimension.Unknown));

    /// <summary>Resizes, normalizes and pads.</summary>
    /// <param name="pixels">uint8 [1,3,H,W], RGB, upright.</param>
    /// <returns>The encoder's input, and as int64 [2] height and width before and after the resize.</returns>
    internal static (Value Tensor, Value OriginalSize, Value ResizedSize) Normalize(GraphBuilder graph, Value pixels, Preprocessing preprocessing)
    {
        // In double, as SAM computes it: a float's rounding would give another size now and then.
        Value size = Typed(graph.Op("Shape", [pixels], [NodeAttribute.Of("start", 2L)]), ElementType.Int64, Shape.Of(2));
        Value sides = graph.Cast(size, ElementType.Double);
        Value longSide = graph.Op("ReduceMax", [sides, graph.Vector(0)]);
        Value scaled = graph.Mul(sides, graph.Div(Double(graph, preprocessing.Side), longSide));
        Value rounded = graph.Op("Floor", [graph.Add(scaled, Double(graph, 0.5))]);
        Value resizedSize = Typed(graph.Cast(graph.Op("Max", [rounded, Double(graph, 1)]), ElementType.Int64), ElementType.Int64, Shape.Of(2));

        // On uint8, and only there, the antialiased Resize rounds after each direction as PIL does.
        Value resized = graph.Op(
            "Resize",
            [pixels, null, null, graph.Concat([graph.Vector(1, 3), resizedSize], 0)],
            [
                NodeAttribute.Of("antialias", 1L),
                NodeAttribute.Of("coordinate_transformation_mode", "half_pixel"),
                NodeAttribute.Of("mode", "linear"),
            ]);
        Value centred = graph.Sub(graph.Cast(resized, ElementType.Float), PerChannel(graph, preprocessing.Mean));
        Value normalized = graph.Div(centred, PerChannel(graph, preprocessing.Std));
        long side = preprocessing.Side;
        Value pads = graph.Concat([graph.Vector(new long[6]), graph.Sub(graph.Vector(side, side), resizedSize)], 0);
        Value tensor = Typed(graph.Op("Pad", [normalized, pads]), ElementType.Float, Shape.Of(1, 3, side, side));
        return (preprocessing.Layout == PixelLayout.ChannelsLast ? graph.Transpose(tensor, 0, 2, 3, 1) : tensor, size, resizedSize);
    }

    private static Model NewModel(string name) => new(IrVersion, [new OpsetImport(OperatorDomain.Onnx, Opset)], name);

    private static Value Double(GraphBuilder graph, double element) => graph.Constant(Tensor.Of<double>(ElementType.Double, [element], [1]));

    private static Value PerChannel(GraphBuilder graph, IReadOnlyList<float> elements) => graph.Constant(Tensor.Of([.. elements], 3, 1, 1));

    /// <summary>States what shape inference cannot know.</summary>
    private static Value Typed(Value value, ElementType type, Shape shape)
    {
        value.ElementType = type;
        value.Shape = shape;
        return value;
    }

    private static void Output(Model model, Value value, string name)
    {
        value.Name = name;
        model.Graph.AddOutput(value);
    }
}
