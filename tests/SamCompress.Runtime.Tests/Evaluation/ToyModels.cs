using SamCompress.IR;
using SamCompress.Runtime.Tests.Images;

namespace SamCompress.Runtime.Tests.Evaluation;

/// <summary>
/// A SAM whose results can be worked out by hand. The encoder takes 16 x 16 pixels; its embedding, [1,1,4,4], is the mean of the
/// red channel over cells of 4 x 4, plus a shift. The decoder gives two masks, the embedding and its negative, and predicts
/// their IoU as the mean of the embedding and its negative.
/// </summary>
internal static class ToyModels
{
    /// <summary>Four columns of grey, 0, 85, 170, 255, each one cell wide.</summary>
    public static byte[] Columns { get; } = TestPictures.Png(16, 16, 8, 0, [.. Enumerable.Range(0, 256).Select(i => (byte)(i % 16 / 4 * 85))]);

    /// <summary>What the encoder makes of these columns, without shift, after normalization.</summary>
    public static double[] ColumnValues { get; } = [.. Enumerable.Range(0, 4).Select(i => ((i * 85) - 123.675) / 58.395)];

    public static void SaveEncoder(string path, float shift)
    {
        using var model = new Model(8, [new OpsetImport("", 17)]);
        Graph graph = model.Graph;
        Value image = graph.AddInput("image", ElementType.Float, Shape.Of(1, 3, 16, 16));
        float[] weight = new float[3 * 16];
        weight.AsSpan(0, 16).Fill(1f / 16);
        Value kernel = graph.AddInitializer("kernel", Tensor.Of(weight, 1, 3, 4, 4));
        Value bias = graph.AddInitializer("bias", Tensor.Of([shift], 1));
        Value embedding = graph.Append("Conv", [image, kernel, bias], ["image_embeddings"], [NodeAttribute.Of("strides", (long[])[4, 4])]).Output;
        Output(graph, embedding, 1, 1, 4, 4);
        OnnxWriter.Save(model, path);
    }

    public static void SaveDecoder(string path)
    {
        using var model = new Model(8, [new OpsetImport("", 17)]);
        Graph graph = model.Graph;
        Value embedding = graph.AddInput("image_embeddings", ElementType.Float, Shape.Of(1, 1, 4, 4));
        graph.AddInput("point_coords", ElementType.Float, new Shape(1, Dimension.Of("n"), 2));
        graph.AddInput("point_labels", ElementType.Float, new Shape(1, Dimension.Of("n")));
        Value negative = graph.Append("Neg", [embedding], ["negative"]).Output;
        Value masks = graph.Append("Concat", [embedding, negative], ["masks"], [NodeAttribute.Of("axis", 1L)]).Output;
        Value iou = graph.Append(
            "ReduceMean",
            [masks],
            ["iou_predictions"],
            [NodeAttribute.Of("axes", (long[])[2, 3]), NodeAttribute.Of("keepdims", 0L)]).Output;
        Output(graph, masks, 1, 2, 4, 4);
        Output(graph, iou, 1, 2);
        OnnxWriter.Save(model, path);
    }

    private static void Output(Graph graph, Value value, params ReadOnlySpan<long> shape)
    {
        value.ElementType = ElementType.Float;
        value.Shape = Shape.Of(shape);
        graph.AddOutput(value);
    }
}
