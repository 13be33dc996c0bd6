using SamCompress.IR;

namespace SamCompress.Runtime.Prompts;

/// <summary>The known ways in which exporters name a mask decoder's inputs and outputs.</summary>
public enum DecoderKind
{
    /// <summary>SAM's own export script, also of MobileSAM and TinySAM: masks come at the size of the original picture.</summary>
    Official,

    /// <summary>EfficientViT-SAM: low-resolution masks, no mask input.</summary>
    EfficientVit,

    /// <summary>The exports for transformers.js: low-resolution masks, the encoder also gives the positional embeddings.</summary>
    Transformers,
}

/// <summary>What a decoder takes and gives, found by the names of its inputs.</summary>
/// <param name="Frame">The side of the square, in pixels, in which coordinates are given: 1024 for all published models.</param>
public sealed record DecoderInterface(DecoderKind Kind, int Frame)
{
    /// <summary>A cell of the embedding is 16 pixels wide in the frame, in every SAM.</summary>
    private const int Patch = 16;

    private const int DefaultFrame = 1024;

    public const string ImageEmbeddings = "image_embeddings";
    public const string PositionalEmbeddings = "image_positional_embeddings";

    /// <summary>The outputs of the encoder that the decoder reads.</summary>
    public IReadOnlyList<string> EncoderOutputs => Kind == DecoderKind.Transformers ? [ImageEmbeddings, PositionalEmbeddings] : [ImageEmbeddings];

    public string PointsInput => Kind == DecoderKind.Transformers ? "input_points" : "point_coords";

    public string LabelsInput => Kind == DecoderKind.Transformers ? "input_labels" : "point_labels";

    public string MasksOutput => Kind == DecoderKind.Transformers ? "pred_masks" : "masks";

    public string IouOutput => Kind == DecoderKind.Transformers ? "iou_scores" : "iou_predictions";

    /// <summary>Masks as the decoder takes them back, which only the official one does.</summary>
    public const string LowResolutionMasksOutput = "low_res_masks";

    public bool TakesBoxes => Kind != DecoderKind.Transformers;

    public bool TakesMasks => Kind == DecoderKind.Official;

    /// <summary>The interface of a model with these inputs, or null when it is no mask decoder that we know.</summary>
    /// <param name="inputs">Name and shape; the shape may be unknown.</param>
    public static DecoderInterface? Detect(IEnumerable<(string Name, Shape? Shape)> inputs)
    {
        var shapes = new Dictionary<string, Shape?>(StringComparer.Ordinal);
        foreach ((string name, Shape? shape) in inputs)
            shapes[name] = shape;
        DecoderKind? kind = Has(ImageEmbeddings, "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size") ? DecoderKind.Official
            : Has(ImageEmbeddings, "point_coords", "point_labels") && shapes.Count == 3 ? DecoderKind.EfficientVit
            : Has(ImageEmbeddings, PositionalEmbeddings, "input_points", "input_labels") && shapes.Count == 4 ? DecoderKind.Transformers
            : null;
        if (kind is null)
            return null;
        long? cells = shapes[ImageEmbeddings] is { Rank: 4 } embedding ? embedding[3].Value : null;
        return new DecoderInterface(kind.Value, cells is > 0 and <= 1024 ? (int)cells * Patch : DefaultFrame);

        bool Has(params ReadOnlySpan<string> names)
        {
            foreach (string name in names)
            {
                if (!shapes.ContainsKey(name))
                    return false;
            }

            return true;
        }
    }

    /// <summary>
    /// The decoder that lies beside an encoder: the file named like it with "decoder" for "encoder", or else the first in
    /// ordinal order that has a decoder's interface and fits the encoder's output. Null when there is none.
    /// </summary>
    public static string? FindBeside(string encoderPath)
    {
        const int maxFiles = 64;
        string path = Path.GetFullPath(encoderPath);
        string name = Path.GetFileName(path);
        string twin = name.Replace("encoder", "decoder", StringComparison.OrdinalIgnoreCase);
        string[] files = Directory.GetFiles(Path.GetDirectoryName(path)!, "*.onnx");
        Array.Sort(files, StringComparer.Ordinal);
        Shape? embedding = Outputs(path).FirstOrDefault(o => o.Name == ImageEmbeddings).Shape;
        return files
            .Where(f => f != path)
            .OrderBy(f => Path.GetFileName(f).Equals(twin, StringComparison.Ordinal) ? 0 : 1)
            .Take(maxFiles)
            .FirstOrDefault(f => Fits(f, embedding));
    }

    private static bool Fits(string path, Shape? embedding)
    {
        List<(string Name, Shape? Shape)> inputs = Inputs(path);
        if (Detect(inputs) is null)
            return false;
        Shape? wanted = inputs.First(i => i.Name == ImageEmbeddings).Shape;
        if (wanted is null || embedding is null)
            return true;
        return wanted.Rank == embedding.Rank
            && Enumerable.Range(1, wanted.Rank - 1).All(i => wanted[i].Value is not { } a || embedding[i].Value is not { } b || a == b);
    }

    private static List<(string Name, Shape? Shape)> Inputs(string path) => Read(path, m => m.Graph.Inputs);

    private static List<(string Name, Shape? Shape)> Outputs(string path) => Read(path, m => m.Graph.Outputs);

    private static List<(string Name, Shape? Shape)> Read(string path, Func<Model, IReadOnlyList<Value>> values)
    {
        try
        {
            using Model model = OnnxReader.Read(path, new ReadOptions { AllowMissingData = true });
            return [.. values(model).Select(v => (v.Name, v.Shape))];
        }
        catch (SamCompressException)
        {
            // Another file of the folder that is no model is no decoder either.
            return [];
        }
    }
}
