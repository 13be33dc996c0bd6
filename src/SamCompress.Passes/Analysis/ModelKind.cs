using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>What a model is, as far as its inputs and outputs tell.</summary>
public enum ModelKind
{
    /// <summary>Neither of the two.</summary>
    Other,

    /// <summary>A picture in, an image embedding out: the encoder of a Segment Anything model.</summary>
    SamEncoder,

    /// <summary>A prompt encoder and mask decoder: an image embedding and prompts in, masks out.</summary>
    SamDecoder,
}

public static class ModelKinds
{
    /// <summary>Of the official export and those that follow it, and of exports for transformers.js.</summary>
    private static readonly string[][] DecoderInputs = [["image_embeddings", "point_coords"], ["image_embeddings", "input_points"]];

    /// <summary>
    /// A decoder has the input <c>image_embeddings</c> and one for points. An encoder has one input, a picture [N,3,H,W] or [N,H,W,3]
    /// or [3,H,W], and an output [N,C,h,w] with more channels and a smaller grid than the picture.
    /// </summary>
    public static ModelKind Recognize(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        List<Value> inputs = [.. model.Graph.Inputs.Where(i => i.Initializer is null)];
        if (DecoderInputs.Any(names => names.All(name => inputs.Exists(i => i.Name == name))))
            return ModelKind.SamDecoder;
        return inputs is [{ Shape: { } picture }] && LargerSide(picture) is { } side && model.Graph.Outputs.Any(o => IsEmbedding(o, side))
            ? ModelKind.SamEncoder
            : ModelKind.Other;
    }

    /// <summary>The larger side of a picture; <see cref="long.MaxValue"/> when it is not fixed; null when the shape is no picture's.</summary>
    private static long? LargerSide(Shape shape)
    {
        Dimension[] d = [.. shape];
        (Dimension height, Dimension width)? sides = d switch
        {
            [_, { Value: 3 }, _, _] => (d[2], d[3]),
            [_, _, _, { Value: 3 }] => (d[1], d[2]),
            [{ Value: 3 }, _, _] => (d[1], d[2]),
            _ => null,
        };
        return sides is not { } s ? null : s.height.Value is { } h && s.width.Value is { } w ? Math.Max(h, w) : long.MaxValue;
    }

    private static bool IsEmbedding(Value output, long pictureSide) =>
        output.Shape is { Rank: 4 } shape
        && (shape[1].Value ?? long.MaxValue) > 3
        && (shape[2].Value ?? 0) < pictureSide
        && (shape[3].Value ?? 0) < pictureSide;
}
