using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Conversion;
using SamCompress.Passes.Rewriting;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Images.Embedded;

/// <summary>What an encoder with embedded preprocessing takes.</summary>
public enum PictureForm
{
    /// <summary><c>file</c>: uint8 [N], the bytes of a JPEG or PNG. Needs the operators of ONNX Runtime Extensions.</summary>
    File,

    /// <summary><c>pixels</c>: uint8 [H,W,3], RGB, upright, of any size.</summary>
    Pixels,
}

/// <summary>
/// Puts the preprocessing into an image encoder:
/// <code>
/// encoder (float [1,3,S,S])  =>  encoder (preprocessing (file or pixels))
/// </code>
/// Further outputs are <c>original_size</c> and <c>resized_size</c>, int64 [2] each: height and width of the upright picture, and of the part of the S x S frame
/// that shows it, which a decoder's prompts need. The operators are those of <see cref="ImageLoader"/>, so the embedding is the same.
/// </summary>
public static class EmbeddedPreprocessing
{
    public const string OriginalSizeOutput = "original_size";
    public const string ResizedSizeOutput = "resized_size";

    /// <summary>Changes the encoder in place; its opset is raised to 18 when it is older.</summary>
    /// <returns>What is embedded.</returns>
    /// <exception cref="SamCompressException">Unsupported: its input is no square picture, it has outputs of those names, or its opset cannot be raised.</exception>
    public static Preprocessing Embed(Model encoder, PictureForm form)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        Graph graph = encoder.Graph;
        Value[] inputs = [.. graph.Inputs.Where(i => i.Initializer is null)];
        string path = encoder.Path ?? graph.Name;
        if (inputs.Length != 1)
            throw Refused($"an image encoder has one input; this model has {inputs.Length}", path);
        if (graph.Outputs.FirstOrDefault(o => o.Name is OriginalSizeOutput or ResizedSizeOutput) is { } taken)
            throw Refused($"it has an output '{taken.Name}' already", path);
        var preprocessing = Preprocessing.For(new SessionValue(inputs[0].Name, inputs[0].ElementType, inputs[0].Shape), path);
        new PassPipeline([new RaiseOpset()]).Run(encoder, new PassContext());

        inputs[0].Name = graph.FreshName(inputs[0].Name + "_tensor");
        var nodes = new GraphBuilder(encoder, graph.Nodes.First(), "preprocessing");
        Value pixels = form == PictureForm.File ? PixelsOfFile(nodes) : PixelsOfRows(nodes);
        (Value tensor, Value original, Value resized) = PreprocessingGraph.Normalize(nodes, pixels, preprocessing);
        inputs[0].ReplaceUsesWith(tensor);
        graph.RemoveInput(graph.Inputs.ToList().IndexOf(inputs[0]));
        Rename(graph, original, OriginalSizeOutput);
        Rename(graph, resized, ResizedSizeOutput);
        graph.AddOutput(original);
        graph.AddOutput(resized);
        return preprocessing;
    }

    private static Value PixelsOfFile(GraphBuilder graph)
    {
        Value file = graph.Graph.AddInput(graph.Graph.FreshName(PreprocessingGraph.FileInput), ElementType.UInt8, new Shape(Dimension.Of("bytes")));
        var walk = FileWalk.Of(graph, file);
        Value stored = PreprocessingGraph.DecodeImage(graph, GreyJpegGraph.Decodable(graph, file, walk));
        return PreprocessingGraph.Batch(graph, Upright(graph, stored, ExifGraph.Orientation(graph, file, walk)));
    }

    private static Value PixelsOfRows(GraphBuilder graph)
    {
        Value rows = graph.Graph.AddInput(graph.Graph.FreshName(PreprocessingGraph.PixelsOutput), ElementType.UInt8, new Shape(Dimension.Of("H"), Dimension.Of("W"), 3));
        return PreprocessingGraph.Batch(graph, graph.Transpose(rows, Turn.Straight));
    }

    /// <param name="stored">uint8 [H,W,3], blue, green, red.</param>
    /// <param name="orientation">int64 [1].</param>
    /// <returns>uint8 [3,H,W], red, green, blue.</returns>
    private static Value Upright(GraphBuilder graph, Value stored, Value orientation)
    {
        Value planes = graph.Either(
            graph.AtLeast(orientation, graph.Vector(Turn.FirstExchanged)),
            branch => branch.Transpose(stored, Turn.Exchanged),
            branch => branch.Transpose(stored, Turn.Straight));
        planes.Shape = new Shape(3, Dimension.Unknown, Dimension.Unknown);
        return graph.Op("Slice", [planes, Of(t => t.Starts), Of(t => t.Ends), graph.Vector(0, 1, 2), Of(t => t.Steps)]);

        // A row for each orientation; row 0 is not used.
        Value Of(Func<Turn, long[]> what) =>
            graph.Reshape(graph.Op("Gather", [graph.Constant(Tensor.Of([.. Enumerable.Range(0, 9).SelectMany(o => what(Turn.Of(o)))], 9, 3)), orientation]), 3);
    }

    /// <summary>Gives an output its name; a value of the encoder that has it gets another.</summary>
    private static void Rename(Graph graph, Value output, string name)
    {
        foreach (Value value in graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().Concat(graph.Initializers).Where(v => v.Name == name).ToArray())
            value.Name = graph.FreshName(name + "_inside");
        output.Name = name;
    }

    private static SamCompressException Refused(string why, string path) => new(FailureKind.Unsupported, $"preprocessing cannot be embedded: {why}") { Location = path };
}
